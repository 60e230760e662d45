// Events of the rooms of a namespace, as they are on this server: told after what is under way, because handlers join and emit.
import { LocalUsageError } from '@halyard/protocol';
import { given } from '../base/given';
import type { Platform } from '../base/platform';
import type { RoomWatch, SlowReaders } from '../room/rooms';
import { fireHandlers, hasHandler } from './handlers';
import type { Rules } from './rules';

/** Handlers of what becomes of rooms. They may be asynchronous: nothing waits for them. */
export interface RoomEvents {
  /** A room has its first member on this server. */
  'create-room'(room: string): unknown;
  /** A room has no members on this server any more. */
  'delete-room'(room: string): unknown;
  /** A socket of this server is in a room: it has joined, or its session has come from another server. */
  'join-room'(room: string, socket: string): unknown;
  /** It is not any more: it has left, is over, or its session goes on at another server. */
  'leave-room'(room: string, socket: string): unknown;
}

export const roomEvents = [
  'create-room',
  'delete-room',
  'join-room',
  'leave-room',
] as const satisfies (keyof RoomEvents)[];

export function isRoomEvent(event: string): event is keyof RoomEvents {
  return (roomEvents as readonly string[]).includes(event);
}

/** @returns an event of a namespace. @throws LocalUsageError `ERR_EVENT_NAME` */
export function checkedEvent(event: string): string {
  if (event === 'connection' || isRoomEvent(event)) return event;
  throw new LocalUsageError(
    'ERR_EVENT_NAME',
    `A namespace has no event ${given(event)}, but connection, ${roomEvents.join(', ')}.`,
  );
}

export class WatchedRooms implements RoomWatch {
  readonly #rules: Rules;
  readonly #platform: Pick<Platform, 'microtask'>;
  readonly #report: (error: unknown, where: string) => void;

  constructor(rules: Rules, platform: Pick<Platform, 'microtask'>, report: (error: unknown, where: string) => void) {
    this.#rules = rules;
    this.#platform = platform;
    this.#report = report;
  }

  get slowReaders(): SlowReaders {
    return this.#rules.slowReaders;
  }

  get isOn(): boolean {
    return this.#rules.watchesRooms;
  }

  tell(event: keyof RoomEvents, ...args: readonly string[]): void {
    const { listeners } = this.#rules;
    if (!hasHandler(listeners, event)) return;
    this.#platform.microtask(() => {
      fireHandlers(listeners, event, args, (error) => this.#report(error, `a handler of "${event}"`));
    });
  }
}
