// Whether the server makes a session and lets the client into its namespace, and goes on with that session over another connection.
import { PacketType, type WelcomePacket } from '@halyard/protocol';
import type { Heard } from '../../probe/line';
import { type Reply, Talk } from '../../probe/talk';
import { type Check, fault, type Outcome, ok, warning } from '../check';
import { hello } from '../hello';
import type { Visit } from '../visit';

/** A server that waits for its store says so after `helloTimeoutMs`, which is 10 s unless it is set. */
const welcomeWaitMs = 15_000;

/** Where two servers take turns, each has had one. */
const resumes = 2;

export const session: Check = {
  name: 'session',
  about: 'the server makes a session, lets it into the namespace, and knows it again over another connection',
  needs: 'transport',
  async run(visit) {
    const talk = await lineTo(visit);
    if (talk === undefined) return [fault('A transport that has opened before does not open again.')];
    const { namespace } = visit.options.target;
    talk.send(hello([{ namespace, auth: visit.auth }]));
    const begun = performance.now();
    const reply = await talk.next([PacketType.Welcome], welcomeWaitMs);
    if (reply.kind !== 'packet') return [noWelcome(reply)];
    const tookMs = performance.now() - begun;
    const { settings } = reply.packet;
    visit.settings = settings;
    const found: Outcome[] = [
      ok(
        `The server makes a session in ${tookMs.toFixed(0)} ms: heartbeat after ${settings.heartbeatMs / 1_000} s, ` +
          `${settings.recoveryWindowMs / 1_000} s to come back, events of up to ${settings.frameBytesMax} bytes.`,
      ),
      await entered(visit, talk),
    ];
    return [...found, await resumed(visit, talk, reply.packet)];
  },
};

async function entered(visit: Visit, talk: Talk): Promise<Outcome> {
  const { namespace } = visit.options.target;
  const { waitMs } = visit.options;
  const reply = await talk.next([PacketType.Connected, PacketType.Refused], waitMs);
  if (reply.kind === 'silent') {
    return warning(
      `Nothing has come of the namespace ${namespace} within ${waitMs / 1_000} seconds.`,
      'A middleware (io.use) that does not come to an end looks like this: it has to return, or to throw.',
    );
  }
  if (reply.kind === 'closed') return fault(`The connection was closed: ${said(reply)}`);
  const { packet } = reply;
  if (packet.type === PacketType.Connected) return ok(`The client is let into the namespace ${namespace}.`);
  const auth = visit.auth === undefined ? 'Without "auth", which --auth-file gives, that may be meant.' : '';
  if (packet.code === 'ERR_NAMESPACE_UNKNOWN') {
    return warning(
      `The server has no namespace ${namespace}: ${packet.code}: ${packet.message}`,
      'What stands behind the host in a URL is the namespace, and the path of the server an option (here --path).',
    );
  }
  return warning(
    `The server does not let the client into ${namespace}: ${packet.code}: ${packet.message}`,
    ...(auth ? [auth] : []),
  );
}

async function resumed(visit: Visit, talk: Talk, welcome: WelcomePacket): Promise<Outcome> {
  const { session, secret } = welcome;
  let last = talk;
  try {
    for (let i = 0; i < resumes; i++) {
      const { received } = last;
      await last.line.close(1006);
      const next = await lineTo(visit, received);
      if (next === undefined) return fault('A transport that has opened before does not open again.');
      last = next;
      const resume = { session, secret, received, confirmed: 0, positions: [] };
      last.send({ ...hello([]), resume, token: '', generation: i + 2 });
      const reply = await last.next([PacketType.Welcome], welcomeWaitMs);
      if (reply.kind !== 'packet') return fault(`The session cannot be gone on with: ${said(reply)}`);
      if (!reply.packet.recovered) return forgotten(reply.packet.reason);
    }
    return ok('Over another connection it is the same session: nothing would have been missed.');
  } finally {
    await last.line.close(1000);
  }
}

function forgotten(reason: string): Outcome {
  if (reason === 'unknown-session') {
    return fault(
      'Over another connection the server does not know the session any more: mostly it is another server, and these share no store.',
      "Servers that share one are one to clients:  new Server({ adapter: redis({ url: 'redis://…' }) })",
      'It may also be one server that is started anew again and again, or have a "recoveryWindowMs" of moments.',
    );
  }
  return fault(`Over another connection the session is not gone on with: ${reason}`);
}

function noWelcome(reply: Exclude<Reply<typeof PacketType.Welcome>, { kind: 'packet' }>): Outcome {
  if (reply.kind === 'silent') {
    return fault(
      `The server answers a PING, and makes no session within ${welcomeWaitMs / 1_000} seconds.`,
      ...storeAdvice,
    );
  }
  if (reply.code === 1013 && reply.reason.includes('store')) {
    return fault(`The server cannot make a session, because its store (Redis) is away: ${said(reply)}`, ...storeAdvice);
  }
  if (reply.code === 1013) {
    return fault(
      `The server takes no more sessions: ${said(reply)}`,
      'Its option "sessionsMax" says how many it takes.',
    );
  }
  return fault(`The server makes no session: ${said(reply)}`);
}

const storeAdvice = [
  'Does Redis run, and does the server reach it?  redis-cli -u redis://… ping   on the machine of the server.',
  'What the server says of it: io.on("error") and io.on("warning"), else its stderr.',
  'Sessions that are there stay meanwhile, and go on once it is back; who is new waits.',
];

function said(reply: Extract<Heard, { kind: 'closed' }> | { readonly kind: 'silent' }): string {
  return reply.kind === 'silent' ? 'no answer' : `${reply.code} ${reply.reason}`.trimEnd();
}

/** @returns a line over the first transport that works */
async function lineTo(visit: Visit, received = 0): Promise<Talk | undefined> {
  const [transport] = visit.transports;
  const opening = await visit.open(transport!);
  return opening.kind === 'open' ? new Talk(opening.line, visit.codec, received) : undefined;
}
