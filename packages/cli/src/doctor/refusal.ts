// An answer that is not what was asked for: whether a Halyard server says so, and if something else does, what that may be.
import type { Answer } from '../probe/http';
import { httpVersion, nginx } from './advice';
import { fault, type Outcome, warning } from './check';
import type { Visit } from './visit';

/** What a Halyard server says when it refuses (docs/PROTOCOL.md §11). */
export interface Words {
  readonly code: string;
  readonly message: string;
  readonly supported?: unknown;
}

/** @returns undefined if it is not in the words of a Halyard server */
export function wordsOf({ status, body }: Answer): Words | undefined {
  if (status < 400) return undefined;
  try {
    const said = JSON.parse(body.toString());
    if (typeof said?.code === 'string' && typeof said.message === 'string') return said;
  } catch {}
  return undefined;
}

const shownCharsMax = 80;

/** @returns who it is that has answered, as far as they say so, and what */
export function described(answer: Answer): string {
  const words = wordsOf(answer);
  if (words !== undefined) return `${answer.status} ${words.code}: ${words.message.slice(0, 2 * shownCharsMax)}`;
  const { status, headers, body } = answer;
  const [, title] = /<title>([^<]{1,500})/i.exec(body.toString()) ?? [];
  const by = headers.server === undefined ? '' : ` by ${headers.server}`;
  const shown = title === undefined ? '' : `, a page with the title "${title.trim().slice(0, shownCharsMax)}"`;
  return `${status}${by}${shown}`;
}

/** @param what was asked for, such as "A WebSocket" @returns what an answer means that is no Halyard server's */
export function strange(visit: Visit, answer: Answer, what: string): Outcome {
  const { status, headers } = answer;
  const it = described(answer);
  if (status === 505) {
    return fault(
      `${what} was answered ${it}: something on the way asks the server by HTTP/1.0, which uWebSockets.js does not speak.`,
      ...nginx(visit, httpVersion, "proxy_set_header Connection '';"),
    );
  }
  if (status === 502 || status === 503) {
    return fault(
      `${what} was answered ${it}: a proxy is there, and the server behind it is not.`,
      'Is the server running, and does it listen at the address and port that the proxy has ("proxy_pass", "upstream", "server")?',
      'A server in a container that listens at 127.0.0.1 is not heard outside of it.',
    );
  }
  if (status === 504) {
    return fault(
      `${what} was answered ${it}: a proxy is there, and the server behind it has not answered it in time.`,
      'Does the server stand still, or is a firewall between the proxy and it?',
    );
  }
  if (status >= 300 && status < 400) {
    const to = String(headers.location ?? '');
    const secured = visit.options.target.origin.replace('http:', 'https:');
    if (to.startsWith(`${secured}/`) && secured !== visit.options.target.origin) {
      return fault(
        `${what} was answered ${it}: it is to be asked by https.`,
        `Connect to ${secured}: no client follows a redirect.`,
      );
    }
    return fault(
      `${what} was answered ${it}, a redirect to ${JSON.stringify(to.slice(0, shownCharsMax))}: no client follows one.`,
      'If that is a login page, of a network or of a proxy that asks who it is, this path has to be let through.',
      'If it only adds or removes "/" or a host, connect to where it leads.',
    );
  }
  if (status === 401 || status === 403 || status === 407) {
    return fault(
      `${what} was answered ${it}, and not by the server: something on the way does not let it through.`,
      'A firewall of applications, or a proxy that asks for a password: let this path through, or say what it wants with --header.',
    );
  }
  if (status === 429) return warning(`${what} was answered ${it}: something on the way counts requests.`, 'Try later.');
  return fault(
    `${what} was answered ${it}, which is not what a Halyard server says.`,
    'Something on the way answers in its place.',
  );
}
