// A case of the hostile suite: what a peer does that means no good, and what must come of it. What a case has seen is a text: `400 end`
// is an answer with that status and then the end of the connection, `4400 ERR_…` a close, and it must begin with what the case expects.
import type { Attacker, Way } from './attacker';

/** Where the hosts differ (docs/PROTOCOL.md §13): by host. A list: any of these. */
export type Expected = string | readonly string[] | { readonly uws: string; readonly node: string };

export interface Case {
  readonly name: string;
  /** Over which transports it is played, each by itself; left out: it is below them. */
  readonly over?: readonly Way[];
  /** It waits until the server has waited for long enough, for up to 14 seconds: such cases are played side by side. */
  readonly waits?: boolean;
  readonly sees: Expected;
  /** @returns what was seen. What it has opened is cut afterwards */
  play(attacker: Attacker): Promise<string>;
}

export const everyWay: readonly Way[] = ['websocket', 'polling', 'sse'];

/** Writes text or bytes, and tells the answers until the server ends the connection. */
export function ends(name: string, sent: string | Uint8Array, sees: Expected, isLong = false): Case {
  return {
    name,
    sees,
    waits: isLong,
    async play(attacker) {
      const socket = await attacker.tcp();
      socket.write(sent);
      return untilEnd(socket);
    },
  };
}

/** Writes a request, and tells the status of its answer and the code in it. */
export function answers(name: string, sent: string | Uint8Array, sees: Expected): Case {
  return {
    name,
    sees,
    async play(attacker) {
      const socket = await attacker.tcp();
      socket.write(sent);
      return told(await socket.response());
    },
  };
}

/** Sends frames behind HELLO over each transport, and tells how the server closes. */
export function breaks(name: string, frames: readonly string[], sees: Expected): Case {
  return {
    name,
    over: everyWay,
    sees,
    async play(attacker) {
      const line = await attacker.line();
      await line.hello();
      line.send(...frames);
      return line.close();
    },
  };
}

/** Sends frames as the first ones, and tells how the server closes. */
export function opensWith(name: string, frames: readonly string[], sees: Expected): Case {
  return {
    name,
    over: everyWay,
    sees,
    async play(attacker) {
      const line = await attacker.line();
      line.send(...frames);
      return line.close();
    },
  };
}

/** Sends frames behind HELLO that harm nobody, and tells what answers an `echo` behind them. */
export function endures(name: string, frames: readonly string[], sees: Expected = '"still here"'): Case {
  return {
    name,
    over: everyWay,
    sees,
    async play(attacker) {
      const line = await attacker.line();
      await line.hello();
      line.send(...frames, '[2,"/","echo",["still here"],9007199254740991]');
      const reply = await line.packet(([type, ack]) => type === 3 && ack === 9_007_199_254_740_991);
      return JSON.stringify(reply[2]);
    },
  };
}

/** @returns the same, said to wait */
export function waits(one: Case): Case {
  return { ...one, waits: true };
}

interface Answer {
  readonly status: number;
  readonly body: string;
}

export function told({ status, body }: Answer): string {
  const code = /"code":"(\w+)"/.exec(body)?.[1];
  return code === undefined ? `${status}` : `${status} ${code}`;
}

interface Peer {
  readonly bytes: Buffer;
  readonly ended: boolean;
  until<T>(what: string, find: () => T | undefined | false): Promise<T>;
}

/** @returns the status of all that comes before the server ends the connection, and `end` */
export async function untilEnd(socket: Peer): Promise<string> {
  await socket.until('the end', () => socket.ended);
  return [...statuses(socket.bytes), 'end'].join(' ');
}

export function statuses(bytes: Buffer): string[] {
  return [...bytes.toString('latin1').matchAll(/HTTP\/1\.[01] (\d{3})/g)].map(([, status]) => status as string);
}

export function hasSeen(host: 'uws' | 'node', expected: Expected, seen: string): boolean {
  if (typeof expected === 'string') return seen.startsWith(expected);
  if ('uws' in expected) return seen.startsWith(expected[host]);
  return expected.some((one) => seen.startsWith(one));
}
