// Events whose handlers are still running on a server that has let the session go: that finishes them, and tells the server that has
// the session by then. If it is gone before, they are handled there.
import type { Codec } from '@halyard/codec';
import { type Failure, type Frame, packetLimits, type Value } from '@halyard/protocol';
import type { Delivery } from './leavings';
import { decodeValue, encodeValue, RecordError } from './record';
import type { Shape } from './record-shape';

/** What the client is to be told, by the number that it gave: a value by itself, or the code, message and data of a failure. */
export type Reply = readonly [ack: number, isFailure: boolean, frame: Frame];

export const replyShape: Shape = { tuple: ['count', 'flag', 'frame'] };

/** @throws LocalUsageError `ERR_NOT_ENCODABLE` with the path */
export function encodeReply(ack: number, value: Value | undefined, codec: Codec): Reply {
  return [ack, false, encodeValue(value, codec)];
}

/** Data that no codec carries is left out: a failure has to arrive. */
export function encodeFailure(ack: number, { code, message, data }: Failure, codec: Codec): Reply {
  try {
    return [ack, true, encodeValue([code, message, data as Value], codec)];
  } catch {
    return [ack, true, encodeValue([code, message, null], codec)];
  }
}

/** @throws RecordError */
export function decodeReply(
  [ack, isFailure, frame]: Reply,
  codec: Codec,
): { readonly ack: number; readonly value: Value | undefined; readonly failure: Failure | undefined } {
  const value = decodeValue(frame, codec);
  if (!isFailure) return { ack, value, failure: undefined };
  const [code, message, data] = Array.isArray(value) ? (value as readonly Value[]) : [];
  if (typeof code !== 'string' || typeof message !== 'string')
    throw new RecordError('a failure has no code or message');
  const cut = (text: string): string => text.slice(0, packetLimits.reasonCharsMax);
  return { ack, value: undefined, failure: { code: cut(code), message: cut(message), data: data ?? undefined } };
}

/** Numbers of events that a server is to finish. */
export type OpenElsewhere = readonly [node: string, numbers: readonly number[]];

export const openElsewhereShape: Shape = { list: { tuple: ['text', { list: 'count' }] } };

/** What the server that has let a session go has still to do for it. */
export class HandedOver {
  /** The server that has asked for it. */
  readonly node: string;
  /** By the number of an event: which acknowledgement its client waits for, and what it is to be told. */
  readonly #open = new Map<number, { readonly ack: number | undefined; readonly replies: Reply[] }>();

  /** @param open events, each with the acknowledgement that it asks for */
  constructor(node: string, open: ReadonlyMap<number, number | undefined>) {
    this.node = node;
    for (const [number, ack] of open) this.#open.set(number, { ack, replies: [] });
  }

  /** What is no reply to an event that is this server's to finish is not said: who goes on with it says it. */
  reply(reply: Reply): void {
    for (const { ack, replies } of this.#open.values()) if (ack === reply[0]) replies.push(reply);
  }

  /** The handlers of an event are done. @returns what its client is to be told; undefined if it is not this server's to finish */
  settle(number: number): readonly Reply[] | undefined {
    const replies = this.#open.get(number)?.replies;
    this.#open.delete(number);
    return replies;
  }
}

/** What servers before this one finish. */
export class Borrowed {
  readonly #nodes = new Map<number, string>();
  /** Those that have come again, and are not handled here. */
  readonly #waiting = new Map<number, Delivery>();
  /** Those that were finished before they came again. */
  readonly #done = new Set<number>();

  constructor(open: readonly OpenElsewhere[]) {
    for (const [node, numbers] of open) for (const number of numbers) this.#nodes.set(number, node);
  }

  /** Whether they are still to finish this one. */
  has(number: number): boolean {
    return this.#nodes.has(number);
  }

  /** Whether they have finished everything. */
  get isOver(): boolean {
    return this.#nodes.size === 0;
  }

  /** Who finishes what, for the next server. */
  *open(): Generator<OpenElsewhere> {
    for (const [number, node] of this.#nodes) yield [node, [number]];
  }

  /** The client sends an event again. @returns whether it is to be handled here */
  take(delivery: Delivery): boolean {
    const [, number] = delivery;
    if (this.#nodes.has(number)) this.#waiting.set(number, delivery);
    // It may have waited for the store as it was finished.
    else return !this.#done.delete(number);
    return false;
  }

  /** A server before is done with an event. @returns whether it was not before */
  finished(number: number): boolean {
    if (!this.#nodes.delete(number)) return false;
    if (!this.#waiting.delete(number)) this.#done.add(number);
    return true;
  }

  /** A server is gone. @returns what is to be handled here */
  left(gone: string): Delivery[] {
    const deliveries: Delivery[] = [];
    for (const [number, node] of [...this.#nodes]) {
      if (node !== gone) continue;
      this.#nodes.delete(number);
      const delivery = this.#waiting.get(number);
      this.#waiting.delete(number);
      if (delivery !== undefined) deliveries.push(delivery);
    }
    return deliveries;
  }
}
