// How what is published reaches many at once: by the host's native publish, a topic for each room and codec.
import type { Codec } from '@halyard/codec';
import type { Meters } from '../base/meters';
import type { Host } from '../host/host';
import type { Frames } from '../log/frames';
import type { Flusher } from '../wire/flusher';
import type { Line } from './subscriber';

/** The topic of a log's readers that speak the codec with this index. */
export function topicOf(logId: string, codecIndex: number): string {
  return `${logId}/${codecIndex}`;
}

/** Whose members are looked at, because native fan-out tells nobody who does not keep up. */
interface Watched {
  look(): void;
}

/** After so many bytes to all rooms together members are looked at, however little each room was told. */
const unseenBytesMax = 262_144;

export class FanOut {
  /** The host that runs now. Without a native publish nothing is subscribed either. */
  host: Host | undefined = undefined;
  readonly #codecs: readonly Codec[];
  readonly #flusher: Flusher;
  readonly #meters: Meters;
  /** Rooms that were told something since their members were looked at, and how much all of them were. */
  #unseen: Watched[] = [];
  #unseenBytes = 0;

  constructor(codecs: readonly Codec[], flusher: Flusher, meters: Meters) {
    this.#codecs = codecs;
    this.#flusher = flusher;
    this.#meters = meters;
  }

  /**
   * Hands over what was emitted before and still waits in queues, which must not be overtaken. To be called before an entry
   * is in its log: who has caught up by this would else read the entry there, and get it again.
   */
  flush(): void {
    if (this.host?.publish !== undefined) this.#flusher.flush();
  }

  /** Sends a message to the subscribers of its log, but to the one who has this line. @returns whether there can be subscribers */
  publish(logId: string, frames: Frames, except: Line | undefined): boolean {
    const { host } = this;
    if (host?.publish === undefined) return false;
    for (let index = 0; index < frames.length; index++) {
      const frame = frames[index];
      if (frame === undefined) continue;
      const topic = topicOf(logId, index);
      const isToOthers = except?.codecIndex === index && except.publishToOthers(topic, frame);
      if (!isToOthers) host.publish(topic, frame, this.#codecs[index]?.binary ?? false);
      if (this.#meters.isOn) {
        const receivers = (host.subscriberCount?.(topic) ?? 0) - (isToOthers ? 1 : 0);
        if (receivers > 0) this.#meters.traffic('websocket', index).sent(frame, receivers);
      }
    }
    return true;
  }

  /** @param isFirst whether it is the first since the room's members were looked at */
  published(room: Watched, bytes: number, isFirst: boolean): void {
    if (isFirst) this.#unseen.push(room);
    this.#unseenBytes += bytes;
    if (this.#unseenBytes <= unseenBytesMax) return;
    const rooms = this.#unseen;
    this.#unseen = [];
    this.#unseenBytes = 0;
    for (const one of rooms) one.look();
  }
}
