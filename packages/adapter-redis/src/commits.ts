// A commit as the argument of its script.
import type { Position } from '@halyard/protocol';
import type { Commit, Letter, NewEntry, RecordWrite } from '@halyard/server';
import { packEntry } from './entries';
import { packed } from './packed';
import { tagged } from './pieces';
import { type Argument, msOf } from './scripts';

export function argumentOf(node: string, { number, branch, steps, records }: Commit): Buffer {
  const args: Argument[] = [node, number, branch];
  const spreads = addSpreads(args, steps);
  args.push(steps.length);
  let before: NewEntry | undefined;
  let blob: Buffer | undefined;
  for (const step of steps) {
    if ('topOf' in step) args.push('top', step.topOf);
    else if ('to' in step) addLetter(args, step);
    else {
      // A message to several rooms is the same in each.
      if (
        blob === undefined ||
        before?.bodies !== step.bodies ||
        before.except !== step.except ||
        before.latest !== step.latest
      )
        blob = packEntry(step);
      before = step;
      addEntry(args, step, blob, spreads.get(step.places) ?? 0);
    }
  }
  args.push(records.length);
  for (const record of records) addRecord(args, record);
  return packed(args);
}

/** Messages to several rooms: their entries say the rest by the number of one. @returns numbers, from 1 */
function addSpreads(args: Argument[], steps: Commit['steps']): ReadonlyMap<NewEntry['places'], number> {
  const spreads = new Map<NewEntry['places'], number>();
  for (const step of steps) {
    if ('log' in step && step.earlier > 0 && !spreads.has(step.places)) spreads.set(step.places, spreads.size + 1);
  }
  args.push(spreads.size);
  for (const places of spreads.keys()) addPlaces(args, places);
  return spreads;
}

function addEntry(args: Argument[], entry: NewEntry, blob: Buffer, spread: number): void {
  const { log, key, stamp, bodies, earlier, latest } = entry;
  let bytes = latest?.length ?? 0;
  for (const body of bodies) bytes += body?.length ?? 0;
  args.push('entry', log, keyOf(key), String(stamp), bytes, blob, spread, earlier, latest ?? '');
}

function addLetter(args: Argument[], { to, key, stamp, body }: Letter): void {
  args.push('letter', to, keyOf(key), String(stamp), body.length, tagged(body));
}

function addRecord(args: Argument[], record: RecordWrite): void {
  const { session, nonce, generation, parts, positions, mail, isWhole, keptMs } = record;
  const isOver = parts === undefined;
  args.push(session, nonce, generation, isWhole ? 1 : 0, isOver ? 1 : 0, msOf(keptMs));
  args.push(mail.number, mail.node, String(mail.stamp), parts?.size ?? 0);
  for (const [name, part] of parts ?? []) args.push(name, tagged(part));
  args.push(positions.size, ...positions.keys());
  addPlaces(args, [...positions.values()]);
}

/** Positions, or which step of the commit. */
function addPlaces(args: Argument[], places: readonly (number | Position)[]): void {
  args.push(places.length);
  for (const place of places) {
    if (typeof place === 'number') args.push('', place);
    else args.push(...place);
  }
}

function keyOf(key: string | undefined): string {
  return key === undefined ? '' : `=${key}`;
}
