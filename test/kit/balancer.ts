// A balancer that knows nothing of sessions: every HTTP request goes to the next server. It may lose requests and answers, and
// have requests come twice, to two servers.
import { Agent, createServer, request as httpRequest, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** What becomes of a request: it is lost, its answer is, or it comes twice. */
export type Fault = 'request' | 'answer' | 'twice' | undefined;

export interface Balancer {
  readonly port: number;
  /** How many requests each of the ports was given. */
  readonly given: ReadonlyMap<number, number>;
  close(): Promise<void>;
}

/**
 * @param ports of the servers behind it: asked anew for every request
 * @param faultOf what becomes of the request with this number; they count from 1
 */
export async function balancer(
  ports: () => readonly number[],
  faultOf: (number: number) => Fault = () => undefined,
): Promise<Balancer> {
  const agent = new Agent({ keepAlive: true });
  const given = new Map<number, number>();
  let turn = 0;
  let requests = 0;

  /** @param outgoing undefined: nobody waits for the answer */
  const forward = (incoming: IncomingMessage, outgoing: ServerResponse | undefined, loses: boolean): void => {
    const behind = ports();
    const port = behind[turn++ % behind.length] as number;
    given.set(port, (given.get(port) ?? 0) + 1);
    const { method, url, headers } = incoming;
    const forwarded = httpRequest({ host: '127.0.0.1', port, method, path: url, headers, agent }, (answer) => {
      if (loses) outgoing?.destroy();
      if (loses || outgoing === undefined) {
        answer.resume();
        return;
      }
      outgoing.writeHead(answer.statusCode ?? 502, answer.rawHeaders);
      answer.pipe(outgoing);
      answer.on('error', () => outgoing.destroy());
    });
    forwarded.on('error', () => {
      if (outgoing?.headersSent) outgoing.destroy();
      else outgoing?.writeHead(502).end();
    });
    outgoing?.on('close', () => {
      if (!outgoing.writableEnded) forwarded.destroy();
    });
    incoming.pipe(forwarded);
  };

  const server = createServer((incoming, outgoing) => {
    const fault = faultOf(++requests);
    if (fault === 'request') {
      outgoing.destroy();
      return;
    }
    if (fault === 'twice') forward(incoming, undefined, false);
    forward(incoming, outgoing, fault === 'answer');
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    port: (server.address() as AddressInfo).port,
    given,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
        agent.destroy();
      }),
  };
}
