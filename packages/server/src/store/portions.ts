// What is stored in one call: a store does nothing else meanwhile.
import type { RecordWrite, Step } from './store';

const bytesMax = 65_536;
const stepsMax = 1_024;
const recordsMax = 128;
/** What is said of a thing besides what it holds. */
const bytesMin = 64;

type Bytes<Item> = (item: Item) => number;

export const ofSteps = <Item>(items: readonly Item[], stepOf: (item: Item) => Step): Item[][] =>
  portions(items, (item) => bytesOfStep(stepOf(item)), stepsMax);

export const ofRecords = <Write extends Pick<RecordWrite, 'parts'>>(records: readonly Write[]): Write[][] =>
  portions(records, bytesOfRecord, recordsMax);

/** Whether all of it goes in one call. */
export function fitsOneCall(steps: Iterable<Step>, records: Iterable<Pick<RecordWrite, 'parts'>>): boolean {
  return fits(steps, bytesOfStep, stepsMax) && fits(records, bytesOfRecord, recordsMax);
}

function fits<Item>(items: Iterable<Item>, bytesOf: Bytes<Item>, countMax: number): boolean {
  let count = 0;
  let bytes = 0;
  for (const item of items) {
    count++;
    bytes += bytesOf(item);
    if (count > 1 && (count > countMax || bytes > bytesMax)) return false;
  }
  return true;
}

/** @returns all of them in their order, in as few portions as there may be */
function portions<Item>(items: readonly Item[], bytesOf: Bytes<Item>, countMax: number): Item[][] {
  const all: Item[][] = [];
  let last: Item[] = [];
  let bytes = 0;
  for (const item of items) {
    const its = bytesOf(item);
    if (last.length > 0 && (last.length === countMax || bytes + its > bytesMax)) {
      last = [];
      bytes = 0;
    }
    if (last.length === 0) all.push(last);
    last.push(item);
    bytes += its;
  }
  return all;
}

function bytesOfStep(step: Step): number {
  if ('topOf' in step) return bytesMin;
  if ('to' in step) return bytesMin + step.body.length;
  let bytes = bytesMin;
  for (const body of step.bodies) bytes += body?.length ?? 0;
  return bytes;
}

function bytesOfRecord({ parts }: Pick<RecordWrite, 'parts'>): number {
  let bytes = bytesMin;
  for (const frame of parts?.values() ?? []) bytes += frame?.length ?? 0;
  return bytes;
}
