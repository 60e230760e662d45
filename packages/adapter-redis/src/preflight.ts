// What is asked of a Redis before it is used, and what is said to who has given one that will not do.
import { LocalUsageError } from '@halyard/protocol';
import { Away, type Link } from './link';
import { loading, silent } from './shard';

const versionMin = 7;

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

/** @returns what has gone wrong, and what to do about it */
export function explained(error: unknown, where: string, prefix: string): LocalUsageError {
  if (error instanceof LocalUsageError) return error;
  const text = error instanceof Error ? error.message || String((error as NodeJS.ErrnoException).code) : String(error);
  if (/NOAUTH|WRONGPASS|invalid password|invalid username/i.test(text)) {
    return new LocalUsageError(
      'ERR_REDIS_PASSWORD',
      `Redis at ${where} refuses user and password (${text}): give them as redis://user:password@host:port in "url".`,
    );
  }
  if (isForbidden(text)) {
    return new LocalUsageError(
      'ERR_REDIS_PERMISSION',
      `Redis at ${where} does not let this user do what redis() needs (${text}): ` +
        `allow it with ACL SETUSER … ~${prefix}:* &${prefix}:* +@all -@admin.`,
    );
  }
  if (/READONLY/.test(text)) return replica(where);
  if (/^OOM /.test(text)) {
    return new LocalUsageError(
      'ERR_REDIS_MEMORY',
      `Redis at ${where} has no memory left (${text}): let it have more by its maxmemory, or remove what else is in it. What is ` +
        'emitted waits until then.',
    );
  }
  if (/^NOREPLICAS /.test(text)) {
    return new LocalUsageError(
      'ERR_REDIS_REPLICAS',
      `Redis at ${where} takes nothing to store while it has fewer replicas than its min-replicas-to-write (${text}): ` +
        'start them, or set that to 0.',
    );
  }
  if (/max number of clients/.test(text)) {
    return new LocalUsageError(
      'ERR_REDIS_UNREACHABLE',
      `Redis at ${where} has as many clients as its maxclients allows (${text}): raise that, or close connections that nobody needs.`,
    );
  }
  if (/^(MOVED|ASK|CROSSSLOT) /.test(text)) return oneOfCluster(where);
  if (/cluster support disabled/.test(text)) {
    return new LocalUsageError(
      'ERR_REDIS_CLUSTER',
      `Redis at ${where} is not of a Cluster (${text}): give it as "url", which is the option for a single one.`,
    );
  }
  if (/CLUSTERDOWN|cluster is down/.test(text)) {
    return new LocalUsageError(
      'ERR_REDIS_CLUSTER',
      `The Redis Cluster at ${where} is not ready (${text}): redis-cli --cluster check says why.`,
    );
  }
  if (/unknown (redis )?command/i.test(text)) {
    return new LocalUsageError(
      'ERR_REDIS_VERSION',
      `Redis at ${where} lacks a command (${text}): redis() needs Redis ${versionMin}.0 or later, or Valkey.`,
    );
  }
  if (/DB index|SELECT is not allowed/.test(text)) {
    return new LocalUsageError(
      'ERR_REDIS_DATABASE',
      `Redis at ${where} has no such database (${text}): correct the number at the end of "url", redis://host:port/0.`,
    );
  }
  if (
    /no answer within|isn't writeable|Protocol error|Connection is closed|EPIPE|ECONNRESET|EPROTO|SSL|TLS/i.test(text)
  ) {
    // That is what stands where Sentinels do.
    if (where.startsWith('master ')) {
      return new LocalUsageError(
        'ERR_REDIS_UNREACHABLE',
        `The Sentinels name no Redis that answers: ${where} (${text}). Start what is not there, or correct "sentinels" and "name" in the ` +
          'option "redis".',
      );
    }
    // Redis says so before it closes, and that is seldom read.
    const isClosed = /Connection is closed|EPIPE|ECONNRESET/.test(text);
    const full = isClosed ? 'it has as many clients as its maxclients allows, ' : '';
    return new LocalUsageError(
      'ERR_REDIS_UNREACHABLE',
      `What is at ${where} does not answer as Redis does (${text}): ${full}it hangs, it is something else, or one of both speaks TLS ` +
        'and the other does not. In the option "url" rediss:// is with TLS, redis:// is without.',
    );
  }
  // Such as BUSY, LOADING or MISCONF.
  if (/^[A-Z]{2,} /.test(text)) {
    return new LocalUsageError(
      'ERR_REDIS_UNREACHABLE',
      `Redis at ${where} answers, and does not do what it is asked for (${text}): mend that there.`,
    );
  }
  return new LocalUsageError(
    'ERR_REDIS_UNREACHABLE',
    `Redis cannot be reached at ${where} (${text}): start it, or correct the option "url".`,
  );
}

/** @returns the same of one that was used before: it is Redis, and is what the options say */
export function explainedLater(trouble: unknown, where: string, prefix: string): { code: string; message: string } {
  if (trouble === silent || trouble instanceof Away) {
    return {
      code: 'ERR_REDIS_UNREACHABLE',
      message: `Redis at ${where} does not answer any more: it hangs, one command keeps it busy, or the network to it is cut.`,
    };
  }
  if (trouble === loading) {
    return {
      code: 'ERR_REDIS_UNREACHABLE',
      message: `Redis at ${where} is there, and not ready: it reads what it has kept.`,
    };
  }
  const text = (trouble as Error | undefined)?.message || String((trouble as NodeJS.ErrnoException | undefined)?.code);
  if (/^(MOVED|ASK|TRYAGAIN|CLUSTERDOWN|MASTERDOWN) /.test(text)) {
    return {
      code: 'ERR_REDIS_CLUSTER',
      message: `The Redis Cluster at ${where} moves slots, or elects a master (${text}): redis-cli --cluster check says whether that ends.`,
    };
  }
  if (/\bE[A-Z]{3,}\b|Connection is closed/.test(text) && !/^[A-Z]+ /.test(text)) {
    return {
      code: 'ERR_REDIS_UNREACHABLE',
      message: `Redis at ${where} cannot be reached any more (${text}): start it, or mend the network to it.`,
    };
  }
  return explained(trouble, where, prefix);
}

/** Of Redis, while another one takes over, or it reads its file, or keys move: it is asked again, and that passes. */
const passing = /^(READONLY|LOADING|MASTERDOWN|CLUSTERDOWN|TRYAGAIN|MOVED|ASK|NOSCRIPT) /;

/** Whether Redis has answered that it does not do what it is asked for, and will not until somebody mends that. */
export function isRefused(error: unknown): boolean {
  return (error as Error | undefined)?.name === 'ReplyError' && !passing.test((error as Error).message);
}

/** Whether Redis does not let its user do something. */
export function isForbidden(error: unknown): boolean {
  return /NOPERM|ACL failure|executing the script can't|no permissions/i.test(String(error));
}

function oneOfCluster(where: string): LocalUsageError {
  return new LocalUsageError(
    'ERR_REDIS_CLUSTER',
    `Redis at ${where} is one of a Cluster: give the addresses of some of its nodes as the option "cluster".`,
  );
}

function replica(where: string): LocalUsageError {
  return new LocalUsageError(
    'ERR_REDIS_REPLICA',
    `Redis at ${where} is a replica, which cannot be written to: give the address of its master, or of Sentinels.`,
  );
}
