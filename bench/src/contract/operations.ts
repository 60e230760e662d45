// What the two processes of a testbed are asked and what they answer: the server's, which runs one subject, and the load's.
import type { Plan } from './plan';

export interface ServerMark {
  /** User and system time of the process so far, in microseconds. */
  readonly cpuUs: number;
  readonly rssBytes: number;
  readonly handled: number;
}

export interface EmitOrder {
  /** Taken in turn, one for each emit; undefined means everybody. */
  readonly targets: readonly (readonly string[] | undefined)[];
  readonly perTick: number;
  readonly intervalMs: number;
  readonly forMs: number;
}

/** The Redis that the nodes of a cluster share. */
export interface SharedRedis {
  readonly url: string;
  /** What the names of all keys and channels begin with. */
  readonly prefix: string;
}

export type ServerOperations = {
  start: { params: { subject: string; plan: Plan; redis?: SharedRedis }; result: { port: number } };
  mark: { params: undefined; result: ServerMark };
  /** Gives memory back first. */
  collect: { params: undefined; result: ServerMark };
  /** @returns how often it emitted */
  emit: { params: EmitOrder; result: number };
  local: { params: { workload: string; subject: string; windowMs: number }; result: number };
};

/** How the load generator talks to a subject. */
export type DialectName =
  | 'raw'
  | 'socketio'
  | 'halyard-json'
  | 'halyard-msgpack'
  | 'halyard-protobuf'
  | 'socketio-polling'
  | 'halyard-polling'
  | 'halyard-sse';

export interface LoadOptions {
  readonly dialect: DialectName;
  readonly port: number;
  readonly plan: Plan;
}

/** What has arrived since the process started. */
export interface LoadTally {
  replies: number;
  deliveries: number;
  heartbeats: number;
}

export interface Latencies {
  readonly p50Us: number;
  readonly p99Us: number;
  readonly p999Us: number;
  readonly replies: number;
}

export interface LoadMark extends LoadTally {
  /** User and system time of the process so far in which it had something to do, in microseconds. */
  readonly cpuUs: number;
}

export interface ConnectOrder {
  readonly count: number;
  /** Of another server than the one that the load was prepared for. */
  readonly port?: number;
  /** Whether they stay out of their rooms. */
  readonly isOutside?: boolean;
}

export type LoadOperations = {
  /** Prepares without opening anything. */
  prepare: { params: LoadOptions; result: undefined };
  /** Opens so many connections more. @returns how long it took, in milliseconds */
  connect: { params: ConnectOrder; result: number };
  echo: { params: { inFlight: number }; result: undefined };
  fanout: { params: undefined; result: undefined };
  stop: { params: undefined; result: undefined };
  mark: { params: undefined; result: LoadMark };
  /** Resolves when so many deliveries have been counted since the process started, and no more. */
  until: { params: { deliveries: number; timeoutMs: number }; result: undefined };
  rate: { params: { ratePerS: number }; result: undefined };
  /** A peer outside of each room speaks to the one in it: so many messages in flight, or at a fixed rate over all. */
  relay: { params: { inFlight: number } | { ratePerS: number }; result: undefined };
  resetLatencies: { params: undefined; result: undefined };
  latencies: { params: undefined; result: Latencies };
  churn: { params: { concurrency: number; forMs: number }; result: number };
  remember: { params: undefined; result: undefined };
  cut: { params: undefined; result: undefined };
  /** From now on connections may end by themselves. */
  expectLoss: { params: undefined; result: undefined };
  /** Resolves when every connection has ended. */
  lost: { params: { timeoutMs: number }; result: undefined };
  /** @param port of another server than they were connected to */
  resume: { params: { missed: number; port?: number }; result: number };
};
