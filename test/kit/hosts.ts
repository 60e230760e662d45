// The hosts that can run here. The native binary of uWebSockets.js does not load everywhere: then its tests are left
// out, and it is said why; in CI it is a failure.
import { createServer } from 'node:http';
import { type HostFactory, node, Server, type ServerOptions, uws } from '@halyard/server';

async function whyNoUws(): Promise<string | undefined> {
  try {
    await import('uWebSockets.js');
    return undefined;
  } catch (error) {
    return String(error).split('\n')[0];
  }
}

const reason = await whyNoUws();
if (reason !== undefined) {
  const message = `The uws host is not tested, because uWebSockets.js does not load here: ${reason}`;
  if (process.env.CI === 'true') throw new Error(message);
  console.warn(message);
}

export const hosts: readonly (readonly [name: string, host: () => HostFactory])[] =
  reason === undefined
    ? [
        ['uws', uws],
        ['node', node],
      ]
    : [['node', node]];

/** Starts a server at a free port of 127.0.0.1. */
export type HostStart = (options: ServerOptions) => Promise<Server>;

/** Every way to run a server: on each host by itself, and attached to an http.Server of an app's. */
export const starts: readonly (readonly [name: string, start: HostStart])[] = [
  ...hosts.map(
    ([name, host]) =>
      [
        `on ${name}`,
        (options: ServerOptions) => new Server({ host: host(), ...options }).listen(0, '127.0.0.1'),
      ] as const,
  ),
  ['attached to an http.Server', attached],
];

async function attached(options: ServerOptions): Promise<Server> {
  const app = createServer((_request, response) => response.end('the app'));
  const io = await new Server(options).attach(app);
  await new Promise<void>((resolve) => app.listen(0, '127.0.0.1', resolve));
  const close = io.close.bind(io);
  io.close = async () => {
    await close();
    app.closeAllConnections();
    app.close();
  };
  return io;
}
