// The largest few of many, found in little time: whoever looks must not hold up those who are looked at.
import type { Few } from './said';

/** It is looked at them for so long, in milliseconds, … */
const lookMsMax = 25;
/** … and after each so many at the time. */
const lookEach = 256;

export interface Wanted<Item, Row> {
  readonly rowsMax: number;
  /** Who has more comes first. */
  weight(item: Item): number;
  /** Which are wanted at all. Default: all. */
  isWanted?(item: Item): boolean;
  row(item: Item): Row;
}

/** @param now in milliseconds */
export function fewOf<Item, Row>(
  items: Iterable<Item>,
  { rowsMax, weight, isWanted = () => true, row }: Wanted<Item, Row>,
  now: () => number = () => performance.now(),
): Few<Row> {
  const endsAt = now() + lookMsMax;
  let kept: { item: Item; weight: number }[] = [];
  let [seen, wanted] = [0, 0];
  let isPartial = false;
  // Of those that weigh less there are enough already.
  let least = Number.NEGATIVE_INFINITY;
  for (const item of items) {
    if (++seen % lookEach === 0 && now() > endsAt) {
      isPartial = true;
      break;
    }
    if (!isWanted(item)) continue;
    wanted++;
    const its = weight(item);
    if (its <= least) continue;
    kept.push({ item, weight: its });
    if (kept.length < 2 * rowsMax) continue;
    kept = heaviest(kept, rowsMax);
    least = kept.at(-1)?.weight ?? least;
  }
  const rows = heaviest(kept, rowsMax).map(({ item }) => row(item));
  return { rows, others: wanted - rows.length, isPartial };
}

/** Of those that weigh as much, who came first comes first. */
function heaviest<Weighed extends { readonly weight: number }>(all: readonly Weighed[], count: number): Weighed[] {
  return all.toSorted((a, b) => b.weight - a.weight).slice(0, count);
}
