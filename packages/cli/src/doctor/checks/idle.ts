// Whether something on the way cuts what is silent for less long than a heartbeat.
import type { TransportName } from '@halyard/client';
import { PacketType } from '@halyard/protocol';
import type { Heard } from '../../probe/line';
import { Talk } from '../../probe/talk';
import { nginx, program } from '../advice';
import { type Check, fault, note, type Outcome, ok, warning } from '../check';
import { sayNames } from '../echo';
import { hello } from '../hello';
import type { Visit } from '../visit';

const welcomeWaitMs = 15_000;
/** A stream has a comment so often, and a poll is held so long unless the server says otherwise. */
const silenceMs: Readonly<Partial<Record<TransportName, number>>> = { sse: 15_000, polling: 20_000 };

export const idle: Check = {
  name: 'idle',
  about: 'nothing on the way cuts a connection that is silent (--idle-ms)',
  needs: 'transport',
  async run(visit) {
    const { idleMs } = visit.options;
    if (idleMs === 0)
      return [note('It was not looked at how long a connection may be silent.', 'With --idle-ms it is.')];
    if (visit.settings === undefined) {
      return [
        note('It was not looked at how long a connection may be silent: without a session the server closes it.'),
      ];
    }
    const found = await Promise.all([...visit.transports].map((transport) => left(visit, transport)));
    const outcomes = found.filter((one) => one !== undefined);
    if (outcomes.length > 0) return outcomes;
    const { heartbeatMs } = visit.settings;
    const message = `Connections were silent for ${idleMs / 1_000} s, and none was cut`;
    if (idleMs > heartbeatMs) return [ok(`${message}: the heartbeat comes after ${heartbeatMs / 1_000} s.`)];
    return [
      ok(
        `${message}. A WebSocket may be silent for ${heartbeatMs / 1_000} s: --idle-ms ${heartbeatMs + 2_000} waits for that.`,
      ),
    ];
  },
};

/** @returns what became of a connection that nothing was said on; undefined if it is still there */
async function left(visit: Visit, transport: TransportName): Promise<Outcome | undefined> {
  const { idleMs } = visit.options;
  const opening = await visit.open(transport);
  if (opening.kind !== 'open') return warning(`${sayNames[transport]} has opened before, and does not open again.`);
  const { line } = opening;
  const talk = new Talk(line, visit.codec);
  try {
    // Of no namespace: nothing of the app is told. A connection without a session would be closed by the server.
    talk.send(hello([]));
    const welcome = await talk.next([PacketType.Welcome], welcomeWaitMs);
    if (welcome.kind !== 'packet')
      return warning(`${sayNames[transport]} opens, and the server makes no session over it.`);
    // It is confirmed after a second, and then nothing is said.
    const begun = performance.now();
    const closed = await talk.next([], idleMs);
    if (closed.kind !== 'closed') return undefined;
    return cut(visit, transport, closed, performance.now() - begun);
  } finally {
    await line.close(1000);
  }
}

function cut(
  visit: Visit,
  transport: TransportName,
  closed: Extract<Heard, { kind: 'closed' }>,
  afterMs: number,
): Outcome {
  const heartbeatMs = visit.settings?.heartbeatMs ?? 25_000;
  const neededMs = silenceMs[transport] ?? heartbeatMs;
  const seconds = (afterMs / 1_000).toFixed(1);
  const below = Math.max(1, Math.floor((afterMs / 1_000) * 0.8)) * 1_000;
  const status = closed.answer === undefined ? '' : ` with ${closed.answer.status}`;
  const how =
    transport === 'polling'
      ? `A poll that waits was ended${status}`
      : `${sayNames[transport]} was cut (${closed.code})`;
  const options = { websocket: `heartbeatMs: ${below}`, polling: `pollHoldMs: ${below}`, sse: undefined }[transport];
  return fault(
    `${how} after ${seconds} s of silence: something on the way waits for less than the ${neededMs / 1_000} s that it may be silent. ` +
      'Nothing is lost by it, and clients come back again and again.',
    ...nginx(visit, 'proxy_read_timeout 60s;'),
    transport === 'websocket' ? 'HAProxy:  timeout tunnel 120s' : 'HAProxy:  timeout client 60s, timeout server 60s',
    ...(options === undefined
      ? []
      : ["Where it is a proxy of somebody else's:", ...program(`new Server({ ${options} })`)]),
  );
}
