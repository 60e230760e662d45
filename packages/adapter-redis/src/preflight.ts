// What is asked of a Redis before it is used.
import { LocalUsageError } from '@halyard/protocol';
import type { Link } from './link';
import { isForbidden, oneOfCluster, replica, versionMin } from './trouble';

/** @param isCluster whether it is to be one of a Cluster. @returns warnings. @throws LocalUsageError that says what to do */
export async function checkServer(
  link: Link,
  where: string,
  isCluster: boolean,
): Promise<[code: string, message: string][]> {
  const { db = 0 } = link.client.options;
  // Who is not let choose it would go on in the first one.
  if (db !== 0) await link.run((client) => client.select(db));
  let info = '';
  try {
    info = await link.run((client) => client.info());
  } catch (error) {
    // Who may not ask what it is may use it all the same.
    if (!isForbidden(String(error))) throw error;
  }
  const version = /^redis_version:(\d+)\S*/m.exec(info);
  if (version !== null && Number(version[1]) < versionMin) {
    throw new LocalUsageError(
      'ERR_REDIS_VERSION',
      `Redis at ${where} is of version ${version[0].split(':')[1]}: redis() needs Redis ${versionMin}.0 or later, or Valkey.`,
    );
  }
  if (!isCluster && /^cluster_enabled:1|^redis_mode:cluster/m.test(info)) throw oneOfCluster(where);
  if (/^role:slave/m.test(info)) throw replica(where);
  const policy = /^maxmemory_policy:(\S+)/m.exec(info)?.[1];
  if (policy === undefined || policy === 'noeviction') return [];
  return [
    [
      'ERR_REDIS_EVICTION',
      `Redis at ${where} has the maxmemory-policy ${policy}: when its memory is full it drops sessions and messages. ` +
        'Set it to noeviction: what is emitted waits then.',
    ],
  ];
}
