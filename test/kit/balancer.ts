// A balancer that knows nothing of sessions: every HTTP request goes to the next server.
import { Agent, createServer, request as httpRequest } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface Balancer {
  readonly port: number;
  /** How many requests each of the ports was given. */
  readonly given: ReadonlyMap<number, number>;
  close(): Promise<void>;
}

/** @param ports of the servers behind it: asked anew for every request */
export async function balancer(ports: () => readonly number[]): Promise<Balancer> {
  const agent = new Agent({ keepAlive: true });
  const given = new Map<number, number>();
  let turn = 0;
  const server = createServer((incoming, outgoing) => {
    const behind = ports();
    const port = behind[turn++ % behind.length] as number;
    given.set(port, (given.get(port) ?? 0) + 1);
    const { method, url, headers } = incoming;
    const forwarded = httpRequest({ host: '127.0.0.1', port, method, path: url, headers, agent }, (answer) => {
      outgoing.writeHead(answer.statusCode ?? 502, answer.rawHeaders);
      answer.pipe(outgoing);
      answer.on('error', () => outgoing.destroy());
    });
    forwarded.on('error', () => {
      if (outgoing.headersSent) outgoing.destroy();
      else outgoing.writeHead(502).end();
    });
    outgoing.on('close', () => {
      if (!outgoing.writableEnded) forwarded.destroy();
    });
    incoming.pipe(forwarded);
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
