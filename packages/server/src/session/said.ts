// What an app has said here, of a session and to it, that is not known to be stored. If another server has the session by then it is
// said there, as letters.

import type { Codec } from '@halyard/codec';
import { type Frame, type Packet, PacketType, type Snapshot } from '@halyard/protocol';
import { encodeLetter, encodeOut, encodePlace, type PlaceLetter } from './letter';

/** What a session had come to when its record was written. */
export interface Come {
  readonly machine: Snapshot;
  /** How often something was said of its rooms. */
  readonly places: number;
}

/** What is to be said at another server, as a letter. */
export interface Unsaid {
  /** Number of its frame; undefined: it is of rooms, … */
  readonly sent: number | undefined;
  /** … and of that so many were said by then. */
  readonly count: number;
  readonly body: Frame;
}

interface Placed {
  readonly letter: PlaceLetter;
  /** How often something was said of rooms by then, … */
  readonly count: number;
  /** … and the last frame that was sent before. */
  readonly sent: number;
}

/** Of whom it is said. */
export interface Spoken {
  /** Number of the last frame that was sent, … */
  readonly sent: number;
  /** … and all that are not known to be stored, with their numbers. */
  readonly frames: Iterable<readonly [number: number, frame: Frame, ...unknown[]]>;
  decode(frame: Frame): Packet;
  /** @returns id of the socket in a namespace, or of the one that was in it last and that the client may not know to be out */
  socketIn(namespace: string): string | undefined;
}

export class Said {
  /**
   * Numbers of frames that come again by themselves: of letters that the store still has, or said while events were handled that are
   * handled again elsewhere, perhaps by those.
   */
  #comeAgain: number[] = [];
  /** Of rooms, the last word on each room of each socket; … */
  readonly #placed = new Map<string, Placed>();
  /** … and how often something was said of them. */
  #places = 0;

  get places(): number {
    return this.#places;
  }

  comesAgain(sent: number): void {
    this.#comeAgain.push(sent);
  }

  /** @param sent the last frame that was sent before; undefined: it is said again by itself */
  place(socket: string, namespace: string, isIn: boolean, rooms: readonly string[], sent: number | undefined): void {
    for (const room of rooms) {
      const key = `${socket} ${room}`;
      // Last, also if it was there.
      this.#placed.delete(key);
      if (sent === undefined) continue;
      const letter = { socket, namespace, isIn, rooms: [room] };
      this.#placed.set(key, { letter, count: ++this.#places, sent });
    }
  }

  stored({ machine, places }: Come): void {
    if (this.#comeAgain.length > 0) this.#comeAgain = this.#comeAgain.filter((number) => number > machine.sent);
    for (const [key, { count }] of this.#placed) if (count <= places) this.#placed.delete(key);
  }

  /** @returns all of it, in its order */
  unstored({ sent, frames, decode, socketIn }: Spoken, codec: Codec): Unsaid[] {
    const again = new Set(this.#comeAgain);
    const places = [...this.#placed.values()];
    const all: Unsaid[] = [];
    const placeUpTo = (before: number): void => {
      while ((places[0]?.sent ?? Infinity) <= before) {
        const { letter, count } = places.shift() as Placed;
        all.push({ sent: undefined, count, body: encodePlace(letter, codec) });
      }
    };
    for (const [its, frame] of frames) {
      placeUpTo(its - 1);
      if (again.has(its)) continue;
      const packet = decode(frame);
      // Who asks is told that it is elsewhere. All else is said there.
      const isOut = packet.type === PacketType.Disconnect;
      if (!isOut && (packet.type !== PacketType.Event || packet.ack !== undefined)) continue;
      const { namespace } = packet;
      const socket = socketIn(namespace);
      if (socket === undefined) continue;
      const body = isOut
        ? encodeOut({ socket, namespace }, codec)
        : encodeLetter({ socket, namespace, event: packet.event, args: packet.args, rooms: [], except: [] }, codec);
      all.push({ sent: its, count: 0, body });
    }
    placeUpTo(sent);
    return all;
  }
}

/** @param last what is stored */
export function isStored({ sent, count }: Unsaid, last: Come | undefined): boolean {
  return sent === undefined ? count <= (last?.places ?? 0) : sent <= (last?.machine.sent ?? 0);
}
