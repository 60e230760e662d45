// Ports for programs that have to be told one.
import { createServer } from 'node:net';

/** A port that can be used again at once: one that the system chose for a listener cannot. */
export async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as { port: number };
  await new Promise((resolve) => server.close(resolve));
  return port;
}
