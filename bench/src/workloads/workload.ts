// What a workload is. Adding one is one small file that satisfies this one, and a line in registry.ts.
import type { ClusterSetup, ClusterTestbed } from '../testbed/cluster-testbed';
import type { Testbed, TestbedSetup } from '../testbed/testbed';

/** One measured window: `value` is what ratios are taken of, the rest explains it. */
export interface Sample {
  readonly value: number;
  /** How many messages, deliveries or sessions the value is the mean of. */
  readonly units?: number;
  readonly details: Readonly<Record<string, number>>;
  /** Commands at Redis for each unit, where there is one. */
  readonly commands?: Readonly<Record<string, number>>;
}

/** A workload that a server and its load run together. */
export interface ServedWorkload extends TestbedSetup {
  readonly kind: 'served';
  readonly name: string;
  readonly title: string;
  /** Of `value`. */
  readonly unit: string;
  /** The first is what the others are compared with. */
  readonly subjects: readonly string[];
  /** Whether each window needs new processes. */
  readonly fresh: boolean;
  measure(testbed: Testbed, windowMs: number): Promise<Sample>;
}

/** A workload of two servers that share a Redis. */
export interface ClusterWorkload
  extends ClusterSetup,
    Pick<ServedWorkload, 'name' | 'title' | 'unit' | 'subjects' | 'fresh'> {
  readonly kind: 'cluster';
  measure(testbed: ClusterTestbed, windowMs: number): Promise<Sample>;
}

/** A workload without a network: one process measures all its subjects, in turn. */
export interface LocalWorkload {
  readonly kind: 'local';
  readonly name: string;
  readonly title: string;
  readonly unit: string;
  readonly subjects: readonly string[];
  /** Runs in a child process. @returns the value of one window for a subject */
  measure(subject: string, windowMs: number): Promise<number>;
}

export type Workload = ServedWorkload | ClusterWorkload | LocalWorkload;
