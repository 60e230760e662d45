// By which logs messages to several rooms have come here, for each log before those in which they are as well. Who is in two of the
// rooms gets such a message by the first: as long as it is not known here that this has another epoch, it comes by the second.
import type { Position } from '@halyard/protocol';
import { Recent } from '../base/recent';
import type { StoredEntry } from './store';

const epochsMax = 16_384;
/** It is not for long that a log has an epoch which is not known here. */
const logsMax = 1_024;
/** What comes behind more others goes a way that is kept as a whole: the logs before each would be all of them squared. */
const earlierMax = 16;
/** Epochs in all ways together. */
const positionsMax = 262_144;

interface Way {
  /** Of the logs that come first, in their order. */
  readonly epochs: string[];
  /** Names of logs by which something has come, with how many come before each. */
  readonly logs: Map<string, number>;
}

interface Place {
  readonly way: Way;
  /** Which of its epochs it is. */
  readonly at: number;
}

interface Known {
  way: Way;
  /** How many places of the list are known to be those of the way. */
  count: number;
}

export class Detours {
  /** Names of logs, by the epoch of the one before. */
  readonly #logs = new Recent<Set<string>>(epochsMax);
  /** Those of messages to many rooms, which mostly go to the same ones again: the last that was used last; … */
  readonly #ways = new Set<Way>();
  /** … where each epoch is in them; … */
  readonly #places = new Map<string, Place[]>();
  /** … and which a message goes, by its list of places. */
  readonly #known = new WeakMap<readonly Position[], Known>();
  #positions = 0;

  /** @param log name of that by which the entry has come */
  add(log: string, { places, earlier }: StoredEntry): void {
    if (earlier > earlierMax) {
      this.#addToWay(log, places, earlier);
      return;
    }
    for (const [epoch] of places.slice(0, earlier)) {
      const logs = this.#logs.get(epoch) ?? new Set();
      if (logs.size < logsMax) logs.add(log);
      this.#logs.set(epoch, logs);
    }
  }

  /** @returns names of logs by which something has come until now that is in this epoch as well */
  around(epoch: string): ReadonlySet<string> {
    const all = new Set(this.#logs.get(epoch));
    for (const { way, at } of this.#places.get(epoch) ?? []) {
      for (const [log, earlier] of way.logs) if (at < earlier) all.add(log);
    }
    return all;
  }

  #addToWay(log: string, places: readonly Position[], earlier: number): void {
    let known = this.#known.get(places);
    if (known === undefined || !this.#ways.has(known.way)) {
      const before = this.#places.get((places[0] as Position)[0])?.findLast(({ at }) => at === 0)?.way;
      known = { way: before ?? newWay(), count: 0 };
      this.#known.set(places, known);
    }
    for (; known.count < earlier; known.count++) {
      const [epoch] = places[known.count] as Position;
      const theirs = known.way.epochs[known.count];
      if (theirs === epoch) continue;
      if (theirs !== undefined) {
        // From here on it goes another one.
        const { epochs } = known.way;
        known.way = newWay();
        for (let i = 0; i < known.count; i++) this.#extend(known.way, epochs[i] as string);
      }
      this.#extend(known.way, epoch);
    }
    const { way } = known;
    way.logs.set(log, Math.max(earlier, way.logs.get(log) ?? 0));
    this.#ways.delete(way);
    this.#ways.add(way);
    for (const oldest of this.#ways) {
      if (this.#positions <= positionsMax || oldest === way) break;
      this.#forget(oldest);
    }
  }

  #extend(way: Way, epoch: string): void {
    const place = { way, at: way.epochs.push(epoch) - 1 };
    const others = this.#places.get(epoch);
    if (others === undefined) this.#places.set(epoch, [place]);
    else others.push(place);
    this.#positions++;
  }

  #forget(way: Way): void {
    this.#ways.delete(way);
    this.#positions -= way.epochs.length;
    for (const epoch of way.epochs) {
      const rest = this.#places.get(epoch)?.filter((place) => place.way !== way) ?? [];
      if (rest.length > 0) this.#places.set(epoch, rest);
      else this.#places.delete(epoch);
    }
  }
}

function newWay(): Way {
  return { epochs: [], logs: new Map() };
}
