// HTTP by hand: one request, its answer, nothing repeated and nothing hidden.
import { type ClientRequest, request as requestHttp } from 'node:http';
import { request as requestHttps } from 'node:https';

export interface Answer {
  readonly status: number;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer;
}

export interface Asked {
  readonly answer: Promise<Answer>;
  /** Nobody waits for the answer any more. */
  cut(): void;
}

export function ask(
  url: string,
  method: string,
  headers: Readonly<Record<string, string>> = {},
  body: string | Buffer = '',
): Asked {
  let sent: ClientRequest | undefined;
  const answer = new Promise<Answer>((resolve, reject) => {
    const make = url.startsWith('https:') ? requestHttps : requestHttp;
    const length = method === 'POST' || body.length > 0 ? { 'content-length': String(Buffer.byteLength(body)) } : {};
    sent = make(url, { method, headers: { ...length, ...headers }, agent: false }, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('error', reject);
      response.on('end', () => {
        const told = Object.entries(response.headers).map(([name, value]) => [name, String(value)]);
        resolve({
          status: response.statusCode ?? 0,
          headers: Object.fromEntries(told) as Record<string, string>,
          body: Buffer.concat(chunks),
        });
      });
    });
    sent.on('error', reject);
    // A handshake that was let in where the case asks for its refusal.
    sent.on('upgrade', (_response, socket) => {
      socket.destroy();
      resolve({ status: 101, headers: {}, body: Buffer.alloc(0) });
    });
    sent.end(body);
  });
  answer.catch(() => {});
  return { answer, cut: () => sent?.destroy() };
}
