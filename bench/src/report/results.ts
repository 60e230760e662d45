// What a run has measured, before it is written in any form.
import type { FigureResult } from '../measure/figures';
import type { Row } from '../measure/rounds';
import type { Size } from '../measure/sizes';
import type { Workload } from '../workloads/workload';
import type { Machine } from './machine';

export interface Results {
  readonly machine: Machine;
  readonly rounds: number;
  readonly windowMs: number;
  readonly figures: readonly FigureResult[];
  readonly workloads: readonly Workload[];
  readonly rows: readonly Row[];
  readonly sizes: readonly Size[];
  /** Of the Redis that was shared, if any was: its version, and where everything ran. */
  readonly cluster?: { readonly redis: string; readonly places: string } | undefined;
}
