// What a round runs on: every host, transport and codec, and limits that are drawn anew for each round.
import type { TransportName } from '@halyard/client';
import type { Codec } from '@halyard/codec';
import { json } from '@halyard/codec/json';
import { msgpack } from '@halyard/codec-msgpack';
import { protobuf } from '@halyard/codec-protobuf';
import type { Random } from '@halyard/harness/random';
import type { HostFactory, ServerOptions } from '@halyard/server';
import { hosts } from '../kit/hosts';

export interface Combination {
  /** Host, transport and codec. */
  readonly name: string;
  readonly host: () => HostFactory;
  readonly transports: readonly TransportName[];
  readonly codec: () => Codec;
}

/** Each client is in all of them. */
export const namespaces = ['/', '/side'] as const;

const transports: readonly (readonly [name: string, names: readonly TransportName[]])[] = [
  ['websocket', ['websocket']],
  ['sse', ['sse']],
  ['polling', ['polling']],
  // By turns WebSockets are refused, so that sessions go from one to the other.
  ['switch', ['websocket', 'sse', 'polling']],
];

const codecs = [
  ['json', json],
  ['msgpack', msgpack],
  ['protobuf', protobuf],
] as const;

const all: readonly Combination[] = hosts.flatMap(([hostName, host]) =>
  transports.flatMap(([transportName, names]) =>
    codecs.map(([codecName, codec]) => ({
      name: `${hostName} ${transportName} ${codecName}`,
      host,
      transports: names,
      codec,
    })),
  ),
);

/**
 * @param only words that a combination must have: a host, a transport, a codec; of two of a kind it has one
 * @throws Error that names a word which is of no combination, and those that are
 */
export function combinationsOf(only: readonly string[]): readonly Combination[] {
  const kinds = [hosts, transports, codecs].map((kind) => kind.map(([name]) => name));
  for (const word of only) {
    if (!kinds.flat().includes(word)) throw new Error(`"${word}" is not one of ${kinds.flat().join(', ')}`);
  }
  return all.filter(({ name }) =>
    kinds.every((kind) => {
      const wanted = only.filter((word) => kind.includes(word));
      return wanted.length === 0 || wanted.some((word) => name.split(' ').includes(word));
    }),
  );
}

/** Dead connections are noticed soon. No acknowledgement times out: one that does not come is a fault. */
const always: ServerOptions = {
  heartbeatMs: 400,
  heartbeatTimeoutMs: 800,
  pollHoldMs: 1_000,
  sackDelayMs: 200,
  ackTimeoutMs: 600_000,
};

const smallBuffer: ServerOptions = { backpressureBytesMax: 131_072 };
/** Nothing is trimmed: whatever is missing is a fault. */
const longMemory: ServerOptions = {
  logPacketsMax: 1 << 20,
  logBytesMax: 1 << 28,
  outboxPacketsMax: 1 << 20,
  outboxBytesMax: 1 << 28,
};
const shortMemory: ServerOptions = { logPacketsMax: 300, logBytesMax: 100_000, outboxPacketsMax: 2_048 };

/** Server options of a round. The first of a combination has a small buffer and a long memory. */
export function drawLimits(random: Random, round: number): ServerOptions {
  if (round === 0) return { ...always, ...smallBuffer, ...longMemory };
  return {
    ...always,
    ...random.pick([smallBuffer, {}]),
    ...random.pick([longMemory, longMemory, {}, shortMemory]),
    ...random.pick([{}, { sackPacketsMax: 2 }]),
    ...random.pick([{}, {}, { recoveryWindowMs: 1_000 }]),
  };
}
