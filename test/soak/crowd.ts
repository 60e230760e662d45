// Clients that come and go: each enters two namespaces and some rooms, one in four is cut and resumes, some leave without a word.
import { Attacker, type HostName, type Way } from '../hostile/attacker';
import type { Line } from '../hostile/line';

export interface Came {
  /** Connections, those of resumes among them. */
  connects: number;
  resumes: number;
  readonly failures: string[];
}

const atOnce = 24;
/** The head of a log stays in Redis for a day behind its last use: so many stay, however many clients come. */
const roomsMax = 1_000;

/** @returns once so many connections have come and gone */
export async function come(port: number, host: HostName, connects: number): Promise<Came> {
  const came: Came = { connects: 0, resumes: 0, failures: [] };
  let next = 0;
  const worker = async (): Promise<void> => {
    while (came.connects < connects) {
      const number = next++;
      try {
        await visit(port, host, number, came);
      } catch (error) {
        came.failures.push(`client ${number}: ${error instanceof Error ? error.message : error}`);
        if (came.failures.length > 20) return;
      }
    }
  };
  await Promise.all(Array.from({ length: atOnce }, worker));
  return came;
}

/** One in ten by each of the transports that are seldom needed. */
function wayOf(number: number): Way {
  if (number % 10 === 3) return 'polling';
  return number % 10 === 6 ? 'sse' : 'websocket';
}

async function visit(port: number, host: HostName, number: number, came: Came): Promise<void> {
  const attacker = new Attacker(port, host, wayOf(number));
  try {
    let line = await attacker.line();
    came.connects++;
    const { session, secret } = await line.hello('[0,[["/"],["/chat"]]]');
    await line.packet(([type, name]) => type === 11 && name === '/chat');
    line.send(`[2,"/","join",["room ${number % roomsMax}"],1]`, `[2,"/chat","join",["room ${number % 7}"],2]`);
    await answered(line, 2);
    if (number % 4 === 1) {
      line.cut();
      line = await attacker.line();
      came.connects++;
      // Nothing is confirmed, so that all comes again.
      line.send(JSON.stringify([0, [], '', [session, secret, 0, 0]]));
      const welcome = await line.packet(([type]) => type === 1);
      if (welcome[5] !== true) throw new Error(`it was not resumed: ${welcome[6]}`);
      came.resumes++;
      await answered(line, 2);
    }
    // Who says nothing is waited for, as long as the window is.
    if (number % 5 !== 0) {
      line.send('[13,"/chat"]', '[13,"/"]');
      await line.leave();
    }
  } finally {
    attacker.leave();
  }
}

/** Both joins have their replies. */
async function answered(line: Line, ack: number): Promise<void> {
  await line.packet(([type, its]) => type === 3 && its === ack);
}
