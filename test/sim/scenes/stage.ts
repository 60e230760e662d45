// What a scene of the simulator is, and what it is played with: a sequence of things that leads into one situation, with timing that the
// seed draws. A scene holds nothing against anything: the model does, as in the rest of the run.
import type { Random } from '@halyard/harness/random';
import type { ServerPlace } from '../server-place';
import type { SimulatedStore } from '../simulated-store';

export interface Scene {
  /** What the store or the clients do in it that excuses lost sessions from then on: only runs that do so anyway play it. */
  readonly excuse?: 'rollback' | 'long away';
  play(stage: Stage): Promise<void>;
}

/** A client that a scene has brought: its connections are WebSockets, and go where it is sent. */
export interface Guest {
  readonly name: string;
  /** Where its connections go from now on. */
  readonly way: { place: ServerPlace | undefined };
  /** @returns the id of its socket */
  id(): string;
}

/** How the store loses something. */
export interface Loss {
  /** All of the partition of a room's log is lost, or of the session of a socket. */
  readonly of: { readonly room: string } | { readonly socket: string };
  /** What is done from now on until then is lost, in milliseconds. */
  readonly lostMs: number;
  /** So much later a server is told of that, in milliseconds. */
  toldMs(place: ServerPlace): number;
}

export interface Stage {
  readonly random: Random;
  readonly store: SimulatedStore;
  /** Virtual, in milliseconds. */
  now(): number;
  elapse(ms: number): Promise<void>;
  /** Runs something later, if the run does not end before. */
  during(delayMs: number, run: () => void): void;
  note(line: string): void;
  /** Waits until nothing of what has disturbed the run is left, and the store may lose something. @throws Unplayable */
  calm(): Promise<void>;
  /** Those that are alive. */
  servers(): readonly ServerPlace[];
  /** One more, to which only guests come that are sent there. */
  newcomer(): Promise<ServerPlace>;
  /** @returns a client that is connected there, and has been told that it is in these rooms. @throws Unplayable */
  guest(place: ServerPlace, ...rooms: string[]): Promise<Guest>;
  /** @returns a room's name that nobody has used, with its log in another partition than that of `other` if there are several */
  room(other?: string): string;
  /** A server emits something to rooms: to those who are in any of them. */
  emit(place: ServerPlace, ...rooms: string[]): void;
  /** A server emits something to all but a room. */
  emitExcept(place: ServerPlace, room: string): void;
  /** A server emits something to one socket, wherever that is. */
  post(place: ServerPlace, socket: string): void;
  /** A guest asks something whose answer its server has after so many milliseconds: 1, 60 or 3,000. */
  ask(guest: Guest, answerMs: 1 | 60 | 3_000): void;
  /**
   * A socket joins a room, or leaves it if it is in there.
   * @returns whether it does: not if it is not there, or if its client has not been told what it has done last
   */
  change(place: ServerPlace, socket: string, room: string): boolean;
  /** All connections of a server die, and both ends notice. */
  cut(place: ServerPlace): void;
  /** A server stands still, and what it emits before that waits for the store, so that it answers nobody meanwhile. */
  block(place: ServerPlace, ms: number): Promise<void>;
  /** A server stands still. */
  halt(place: ServerPlace, ms: number): void;
  /** A client sleeps. */
  sleep(guest: Guest, ms: number): void;
  kill(place: ServerPlace): Promise<void>;
  /** The store loses what is done from now on. @throws Unplayable */
  lose(loss: Loss): void;
  /** An app ends a socket, perhaps with its session, as soon as its server goes on; if another server has taken it by then. */
  disconnectLate(place: ServerPlace, socket: string): void;
  /** Whether a server has a socket, and no other has taken it since. */
  isAt(socket: string, place: ServerPlace): boolean;
  /** Whether a server has said that the session of a socket is over. */
  isOver(socket: string): boolean;
  /** Waits until something is so. @throws Unplayable if that takes too long */
  until(isSo: () => boolean): Promise<void>;
  /** @returns ids of sockets of a server, each with a room that it is in */
  membersAt(place: ServerPlace): readonly (readonly [socket: string, room: string])[];
}

/** A run is not in a state in which a scene can be played: it goes on without. */
export class Unplayable extends Error {
  override readonly name = 'Unplayable';
}
