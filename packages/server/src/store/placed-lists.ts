// Where messages to several rooms are, as that becomes known: their entries have one list together, of which as much is made as they need.
import type { Position } from '@halyard/protocol';

type List<Place> = readonly (number | Place)[];

export class PlacedLists<Place = Position> {
  readonly #placeOf: (step: number) => Place;
  readonly #made = new Map<List<Place>, Place[]>();

  /** @param placeOf where a step of the commit is, or is called */
  constructor(placeOf: (step: number) => Place) {
    this.#placeOf = placeOf;
  }

  /** @returns the same list whenever it is asked for one: so many of its places at least, all of which are known */
  of(list: List<Place>, count: number): readonly Place[] {
    let made = this.#made.get(list);
    if (made === undefined) {
      made = [];
      this.#made.set(list, made);
    }
    while (made.length < count) {
      const place = list[made.length] as number | Place;
      made.push(typeof place === 'number' ? this.#placeOf(place) : place);
    }
    return made;
  }
}
