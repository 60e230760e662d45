// What is wrong with a Redis, and what to do about it, in words: with one that is to be used, and with one that was.
import { LocalUsageError } from '@halyard/protocol';
import { Away } from './link';

export const versionMin = 7;

/** It answers nothing. */
export const silent: unique symbol = Symbol('silent');
/** It has let this node connect, and does nothing yet. */
export const loading: unique symbol = Symbol('loading');

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
  const { code = '', message = code } = trouble as NodeJS.ErrnoException;
  if (/^(MOVED|ASK|TRYAGAIN|CLUSTERDOWN|MASTERDOWN) /.test(message)) {
    return {
      code: 'ERR_REDIS_CLUSTER',
      message: `The Redis Cluster at ${where} moves slots, or elects a master (${message}): redis-cli --cluster check says whether that ends.`,
    };
  }
  if (/^E[A-Z]+$/.test(code) || /Connection is closed/.test(message)) {
    return {
      code: 'ERR_REDIS_UNREACHABLE',
      message: `Redis at ${where} cannot be reached any more (${message || code}): start it, or mend the network to it.`,
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

export function oneOfCluster(where: string): LocalUsageError {
  return new LocalUsageError(
    'ERR_REDIS_CLUSTER',
    `Redis at ${where} is one of a Cluster: give the addresses of some of its nodes as the option "cluster".`,
  );
}

export function replica(where: string): LocalUsageError {
  return new LocalUsageError(
    'ERR_REDIS_REPLICA',
    `Redis at ${where} is a replica, which cannot be written to: give the address of its master, or of Sentinels.`,
  );
}
