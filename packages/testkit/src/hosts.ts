// The hosts that can run here. The native binary of uWebSockets.js does not load everywhere: then its tests are left
// out, and it is said why; in CI it is a failure.
import { type HostFactory, node, uws } from '@halyard/server';

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
