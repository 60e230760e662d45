// Whether pages may connect: those of the server's own host, and those of the origin that was asked about.
import type { Answer } from '../../probe/http';
import { nginx, program } from '../advice';
import { type Check, fault, type Outcome, ok, warning } from '../check';
import { described, strange, wordsOf } from '../refusal';
import type { Visit } from '../visit';

export const origin: Check = {
  name: 'origin',
  about: "pages of the server's own host may connect, and with --origin those of another",
  needs: 'server',
  async run(visit) {
    const own = visit.options.target.origin;
    const asked = visit.options.origin ?? own;
    try {
      const answer = await visit.ask({ headers: { origin: asked } });
      if (wordsOf(answer)?.code === 'ERR_ORIGIN')
        return [asked === own ? ownRefused(visit) : foreignRefused(visit, asked)];
      if (asked === own) {
        return [ok(`Pages of ${own} may connect. With --origin it is asked for those of another host.`)];
      }
      return [await readable(visit, asked, answer)];
    } catch (error) {
      return [fault(`A request with an Origin has no answer: ${(error as Error).message}.`)];
    }
  },
};

function ownRefused(visit: Visit): Outcome {
  const { origin } = visit.options.target;
  return fault(
    `Pages of ${origin} itself are refused (403 ERR_ORIGIN): the server takes itself for another host, or has a list without this one.`,
    'A proxy that puts another "Host" in place of what the browser has sent is mostly why:',
    ...nginx(visit, 'proxy_set_header Host $http_host;'),
    `Vite: no "changeOrigin". Or the server lists it:  new Server({ origins: ['${origin}'] })`,
  );
}

function foreignRefused(visit: Visit, asked: string): Outcome {
  return fault(
    `Pages of ${asked} may not connect (403 ERR_ORIGIN).`,
    ...program(`new Server({ origins: ['${asked}'] })   // besides those that it has`),
    `An origin is scheme, host and port, as a browser sends it: ${visit.options.target.origin} is another than the same with a port or "www.".`,
  );
}

/** A page has to be let ask, and to read what it is answered. */
async function readable(visit: Visit, asked: string, answer: Answer): Promise<Outcome> {
  const allowed = answer.headers['access-control-allow-origin'];
  if (allowed === undefined) {
    return fault(
      `Pages of ${asked} may connect by WebSocket and cannot read what sse and polling are answered: a proxy drops "access-control-allow-origin".`,
      'It has to pass on the headers of the answer as they are.',
    );
  }
  if (allowed !== asked && allowed !== '*') {
    return fault(
      `Pages of ${asked} cannot read the answers: "access-control-allow-origin" is ${JSON.stringify(allowed)}, where there may be one.`,
      'The server says it by itself. Take out what adds it a second time:',
      ...nginx(visit, '# no add_header Access-Control-Allow-Origin'),
    );
  }
  const preflight = await visit.ask({
    method: 'OPTIONS',
    headers: {
      ...{ origin: asked, 'access-control-request-method': 'POST' },
      'access-control-request-headers': 'halyard-protocol,halyard-connection,halyard-seq,halyard-ack',
    },
  });
  if (preflight.status === 204 && preflight.headers['access-control-allow-headers'] !== undefined) {
    return ok(`Pages of ${asked} may connect, and a browser is let send what sse and polling send.`);
  }
  if (wordsOf(preflight) === undefined && preflight.status >= 400) {
    return strange(visit, preflight, 'What a browser asks before it sends (OPTIONS)');
  }
  return warning(
    `What a browser asks before it sends (OPTIONS) is answered ${described(preflight)}, and the server answers 204.`,
    'Something on the way answers it: sse and polling of other origins may not work. WebSockets are not concerned.',
  );
}
