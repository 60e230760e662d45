// Which letters a session has taken, by sender and stamp: a store that loses some has them sent again, under other numbers. The last ones
// are known one by one, because those that are sent again may come behind later ones; of those before it is enough to know how far they go.
import { nameOf } from '../store/known';

interface Taken {
  readonly node: string;
  readonly stamp: number;
}

export interface TakenRecord {
  /** Names of the last ones. */
  readonly known: readonly string[];
  /** By sender, the last stamp of those before. */
  readonly floors: readonly (readonly [node: string, stamp: number])[];
}

const knownMax = 256;
/** So many are recorded one by one, as long as it is not known that something was lost. */
export const recordedMax = 16;
/** Senders; who has sent nothing for longest is forgotten. */
const sendersMax = 64;

export class TakenLetters {
  readonly #known = new Map<string, Taken>();
  readonly #last: Taken[] = [];
  /** Of what is not known one by one, here and in the record. */
  readonly #floors: Floors;
  readonly #recordedFloors: Floors;

  constructor({ known, floors }: TakenRecord) {
    this.#floors = new Floors(floors);
    this.#recordedFloors = new Floors(floors);
    for (const name of known) this.#add(name, takenOf(name));
  }

  has({ node, stamp }: Taken): boolean {
    return this.#floors.has(node, stamp) || this.#known.has(nameOf(node, stamp));
  }

  add({ node, stamp }: Taken): void {
    this.#add(nameOf(node, stamp), { node, stamp });
  }

  /** @param isWhole whether all that are known one by one are recorded so */
  record(isWhole: boolean): TakenRecord {
    if (isWhole) return { known: [...this.#known.keys()], floors: this.#floors.toArray() };
    return { known: this.#last.map(({ node, stamp }) => nameOf(node, stamp)), floors: this.#recordedFloors.toArray() };
  }

  #add(name: string, taken: Taken): void {
    this.#known.set(name, taken);
    this.#last.push(taken);
    if (this.#last.length > recordedMax) this.#recordedFloors.raise(this.#last.shift() as Taken);
    if (this.#known.size <= knownMax) return;
    const [oldest, its] = this.#known.entries().next().value as [string, Taken];
    this.#known.delete(oldest);
    this.#floors.raise(its);
  }
}

class Floors {
  readonly #bySender: Map<string, number>;

  constructor(floors: TakenRecord['floors']) {
    this.#bySender = new Map(floors);
  }

  has(node: string, stamp: number): boolean {
    return stamp <= (this.#bySender.get(node) ?? -1);
  }

  raise({ node, stamp }: Taken): void {
    const before = this.#bySender.get(node) ?? -1;
    this.#bySender.delete(node);
    this.#bySender.set(node, Math.max(before, stamp));
    const [oldest] = this.#bySender.keys();
    if (this.#bySender.size > sendersMax) this.#bySender.delete(oldest as string);
  }

  toArray(): [string, number][] {
    return [...this.#bySender];
  }
}

/** What `nameOf` has made a name of. */
function takenOf(name: string): Taken {
  const blank = name.indexOf(' ');
  return { stamp: Number(name.slice(0, blank)), node: name.slice(blank + 1) };
}
