// Whether and how processes share a port on Node's own HTTP server.
import cluster from 'node:cluster';
import { LocalUsageError } from '@halyard/protocol';

/** What Node is told more. */
export interface SharedPort {
  readonly reusePort?: true;
}

/**
 * @param version of Node
 * @param isWorker whether this process is a worker of the cluster module: those share every port that they listen on
 * @returns nothing where nothing has to be told
 * @throws LocalUsageError `ERR_REUSE_PORT` that says what to do
 */
export function sharedPort(version = process.versions.node, isWorker = cluster.isWorker): SharedPort {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  if (major > 23 || (major === 23 && minor >= 1) || (major === 22 && minor >= 12)) return { reusePort: true };
  if (isWorker) return {};
  throw new LocalUsageError(
    'ERR_REUSE_PORT',
    `The host "node" cannot share a port with reusePort in Node ${version}: ` +
      'take the host uws(), Node 22.12 or later (not 23.0), or fork workers with the cluster module, which share their ports.',
  );
}
