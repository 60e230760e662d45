// The visit of the doctor: one check after the other, each with what those before it have found.
import type { Value } from '@halyard/protocol';
import { codecOf } from '../base/codecs';
import { optionError, wholeNumber } from '../base/option';
import { targetOf } from '../base/target';
import type { Check, Finding } from './check';
import { bodies } from './checks/bodies';
import { clock } from './checks/clock';
import { codec } from './checks/codec';
import { idle } from './checks/idle';
import { origin } from './checks/origin';
import { path } from './checks/path';
import { polling } from './checks/polling';
import { reach } from './checks/reach';
import { session } from './checks/session';
import { sse } from './checks/sse';
import { tls } from './checks/tls';
import { websocket } from './checks/websocket';
import { Visit } from './visit';

/** In the order in which they are made: what is at the bottom first, and last what takes long. */
export const checks: readonly Check[] = [
  ...[reach, tls, path, codec],
  ...[websocket, sse, polling],
  ...[session, origin, bodies, clock, idle],
];

export interface DiagnoseOptions {
  /** Path of the server. Default `/halyard`. */
  path?: string | undefined;
  /** `json` (default), `msgpack` or `protobuf`: what the client is to speak. */
  codec?: string | undefined;
  /** Origin of the pages that are to connect, such as `https://app.example`. Default: the server's own. */
  origin?: string | undefined;
  /** What the namespace is asked for with. Not said to whom the certificate does not vouch for. */
  auth?: Value | undefined;
  /** Header fields of every request. As `auth`. */
  headers?: Readonly<Record<string, string>> | undefined;
  /** What each answer may take. 100 to 60,000, default 5,000 milliseconds. */
  waitMs?: number | undefined;
  /** How long connections are left silent, to see whether something cuts them. 0 (not at all) to 600,000, default 12,000 milliseconds. */
  idleMs?: number | undefined;
  /** Is told of each finding as soon as it is there. */
  onFinding?: ((finding: Finding) => void) | undefined;
  /** Is told the name of each check before it is made. */
  onCheck?: ((check: string) => void) | undefined;
}

export interface Diagnosis {
  /** Whether clients connect: there is no `fault`. */
  readonly healthy: boolean;
  readonly findings: readonly Finding[];
  /** Names of the checks that make no sense with what was found, and were not made. */
  readonly left: readonly string[];
}

/**
 * Looks at the way to a server, as a client would take it: address, TLS, path, codec, each transport, a session, Origin, sizes, clocks and
 * time-outs. It enters the namespace of the URL once, and leaves.
 * @param url server and namespace, such as `https://app.example`, as `connect` of the client takes it
 * Rejects with a LocalUsageError `ERR_OPTION` that names the option and what it may be; whatever is wrong with the server is a finding.
 */
export async function diagnose(url: string | URL, options: DiagnoseOptions = {}): Promise<Diagnosis> {
  const visit = new Visit({
    target: targetOf(url, options.path, options.headers),
    codec: await codecOf(options.codec ?? 'json'),
    origin: options.origin === undefined ? undefined : originOf(options.origin),
    auth: options.auth,
    waitMs: wholeNumber('waitMs', options.waitMs ?? 5_000, 100, 60_000),
    idleMs: wholeNumber('idleMs', options.idleMs ?? 12_000, 0, 600_000),
  });
  const findings: Finding[] = [];
  const left: string[] = [];
  try {
    for (const { name, needs, run } of checks) {
      if (!isThere(visit, needs)) {
        left.push(name);
        continue;
      }
      options.onCheck?.(name);
      for (const outcome of await run(visit)) {
        const finding = { check: name, ...outcome };
        findings.push(finding);
        options.onFinding?.(finding);
      }
    }
  } finally {
    visit.end();
  }
  return { healthy: !findings.some(({ level }) => level === 'fault'), findings, left };
}

function isThere(visit: Visit, needs: Check['needs']): boolean {
  switch (needs) {
    case undefined:
      return true;
    case 'host':
      return visit.isThere;
    case 'server':
      return visit.isServer;
    case 'transport':
      return visit.transports.size > 0;
  }
}

/** @throws LocalUsageError `ERR_OPTION` */
function originOf(given: string): string {
  try {
    const { origin } = new URL(given);
    if (/^https?:/.test(origin) && given.replace(/\/$/, '').toLowerCase() === origin) return origin;
  } catch {}
  throw optionError(
    'origin',
    'what a browser sends, scheme, host and port, such as https://app.example',
    'something else',
  );
}
