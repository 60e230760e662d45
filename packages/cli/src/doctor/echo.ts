// The proof of a path (docs/PROTOCOL.md §6): PING before HELLO, which makes no session, and PONG.
import type { TransportName } from '@halyard/client';
import { PacketType } from '@halyard/protocol';
import type { Opening } from '../probe/line';
import { Talk } from '../probe/talk';
import { bufferingLines, program } from './advice';
import { fault, note, type Outcome, ok, warning } from './check';
import { described, strange, wordsOf } from './refusal';
import type { Visit } from './visit';

/** @returns what came of a line that has opened; it is closed. The transport is noted if it carries both ways. */
export async function echoed(visit: Visit, { line, tookMs }: Extract<Opening, { kind: 'open' }>): Promise<Outcome> {
  const { waitMs } = visit.options;
  const talk = new Talk(line, visit.codec);
  const begun = performance.now();
  talk.send({ type: PacketType.Ping, received: undefined });
  const reply = await talk.next([PacketType.Pong], waitMs);
  const echoMs = performance.now() - begun;
  await line.close(1000);
  const what = sayNames[line.transport];
  switch (reply.kind) {
    case 'packet':
      visit.transports.add(line.transport);
      return ok(`${what} opens in ${tookMs.toFixed(0)} ms, and a PING is answered in ${echoMs.toFixed(1)} ms.`);
    case 'closed': {
      const { answer, reason, code } = reply;
      const words = answer && wordsOf(answer);
      if (words?.code === 'ERR_CONNECTION_UNKNOWN') return strangers(what);
      if (words !== undefined) return fault(`${what} opens, and its next request is refused: ${described(answer!)}`);
      if (answer !== undefined) return strange(visit, answer, `A request of ${what}`);
      return fault(
        `${what} opens, and is cut before a PING is answered: ${code} ${reason}`.trimEnd(),
        'Something on the way lets it open and passes nothing on: it looks into what is said, or has a time-out of moments.',
      );
    }
    case 'silent': {
      const message = `${what} opens, and the answer to a PING has not come within ${waitMs / 1_000} seconds`;
      if (line.transport === 'sse')
        return fault(`${message}: something on the way gathers it.`, ...bufferingLines(visit));
      return fault(`${message}.`, 'Something on the way lets it open and passes nothing on.');
    }
  }
}

export const sayNames: Readonly<Record<TransportName, string>> = {
  websocket: 'A WebSocket',
  sse: 'A stream (sse)',
  polling: 'Polling',
};

/** @returns what is to be said of one that did not open, of whichever transport; undefined if it takes knowing which */
export function commonly(transport: TransportName, opening: Exclude<Opening, { kind: 'open' }>): Outcome | undefined {
  const what = sayNames[transport];
  if (opening.kind === 'failed') {
    return fault(
      `${what} does not open: ${opening.reason}.`,
      'Something on the way ends the connection: a firewall that looks into it, or a proxy that does not know this kind of request.',
    );
  }
  if (opening.kind === 'silent') return undefined;
  const { answer } = opening;
  const words = wordsOf(answer);
  switch (words?.code) {
    case undefined:
      return undefined;
    case 'ERR_TRANSPORT':
      return note(
        `${what} is off at the server (its option "transports").`,
        ...(transport === 'websocket' ? [] : ['Who is behind what blocks WebSockets needs one of sse and polling.']),
      );
    case 'ERR_UPGRADE_REQUIRED':
    case 'ERR_HANDSHAKE':
    case 'ERR_WEBSOCKET_VERSION':
    case 'ERR_WEBSOCKET_KEY':
      return undefined;
    case 'ERR_NO_COMMON_PROTOCOL':
      return fault(
        `${what} is refused for its protocol, which the server has: ${described(answer)}`,
        'Something on the way changes or drops the header in which it is offered (Sec-WebSocket-Protocol, halyard-protocol).',
      );
    case 'ERR_TOO_MANY_CONNECTIONS':
    case 'ERR_TOO_MANY_HANDSHAKES':
    case 'ERR_TOO_MANY_UNDECIDED':
      return fault(`The server is full: ${described(answer)}`, 'Its options of that name say how much it takes.');
    case 'ERR_ADDRESS_FULL':
    case 'ERR_ADDRESS_RATE':
      return fault(
        `The server takes no more connections of this address: ${described(answer)}`,
        'Behind a proxy all clients have the address of that, unless the server believes what it says of them:',
        ...program('new Server({ trustProxy: true })'),
        'and the proxy says it (nginx: proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;).',
        'Its options connectionsPerAddressMax and opensPerAddressPerSecondMax say how much it takes of one.',
      );
    case 'ERR_OVERLOADED':
      return warning(
        `The server has more to do than it can, and takes nobody new: ${described(answer)}`,
        'Ask again later. Its option overload says from when on; its metric halyard_loop_delay_seconds tells how late it is.',
      );
    case 'ERR_STOPPING':
      return warning(
        `The server is about to stop, and takes nobody new: ${described(answer)}`,
        'A balancer is to send clients to another one meanwhile: it looks at readiness, not only at whether the port is open.',
      );
    case 'ERR_ALLOW_REQUEST':
    case 'ERR_ALLOW_TIMEOUT':
      return fault(
        `The app does not decide who may connect: ${described(answer)}`,
        'Its "allowRequest" fails, or does not come to an end: io.on("error") of the server tells why.',
      );
    default:
      return warning(
        `The app refuses ${what}: ${described(answer)}`,
        'Its "allowRequest" says so. What it asks for can be given with --header, such as --header "cookie: …".',
      );
  }
}

function strangers(what: string): Outcome {
  return fault(
    `${what} opens, and the next request finds nobody who knows the connection: it has come to another server, and these share no store.`,
    "Servers that share one are one to clients, behind any balancer:  new Server({ adapter: redis({ url: 'redis://…' }) })",
    'A single server can only be behind a balancer that sends all requests of a client to it (stickiness), and loses its sessions with it.',
    'It may also be one server that is started anew again and again: has its process an uptime?',
  );
}
