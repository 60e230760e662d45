// Volatile messages to targets, on their way to other servers: at most once, and dropped where anything is in the way. A message to
// one room goes by the channel of that room, to which a server listens that has members of it; any other by the channel of its
// namespace. The first of its frames says whom it is for, so that each server decides for its own sockets.
import { LocalUsageError, RemoteProtocolError, type Value } from '@halyard/protocol';
import type { Frames } from '../log/frames';
import { channelOf } from '../room/rooms';
import { sessionIn } from '../session/socket-id';
import type { Channels } from '../store/channels';
import { shaped, targetMessage, targetOf, targetShape } from './target-message';
import type { LocalTargets, TargetSpec } from './target-spec';

export interface VolatileTargetsContext {
  readonly channels: Channels;
  readonly codecCount: number;
  /** @returns whom targets of a namespace mean here; undefined if there is no such namespace */
  targets(namespace: string): LocalTargets | undefined;
  warn(code: string, message: string): void;
}

/** Of the target in front of the frames. */
const targetBytesMax = 1 << 20;

export class VolatileTargets {
  readonly #context: VolatileTargetsContext;

  constructor(context: VolatileTargetsContext) {
    this.#context = context;
  }

  /** To those whom a target means on other servers. */
  publish(namespace: string, spec: TargetSpec, frames: Frames): void {
    const { channels, warn } = this.#context;
    const target = Buffer.from(JSON.stringify(targetMessage(namespace, spec)));
    if (target.length > targetBytesMax) {
      warn('ERR_TARGET_NAMES', `A volatile message to rooms of ${target.length} bytes has not gone to other servers.`);
      return;
    }
    const { rooms } = spec;
    const [room = ''] = rooms ?? [];
    // No server listens to a channel for each of its sockets.
    const isOneRoom = rooms?.length === 1 && sessionIn(room) === undefined;
    channels.publish(channelOf(namespace, isOneRoom ? room : ''), [target, ...frames]);
  }

  /** Another server says something. What is not of its form is dropped. */
  receive(frames: Frames): void {
    try {
      const { namespace, spec } = this.#targetOf(frames);
      const sockets = this.#context.targets(namespace)?.select(spec) ?? [];
      const own = frames.slice(1);
      for (const { line } of sockets) line.forwardVolatile(own);
    } catch (error) {
      this.#context.warn('ERR_VOLATILE', `A volatile message of another server was dropped: ${String(error)}`);
    }
  }

  #targetOf(frames: Frames): ReturnType<typeof targetOf> {
    const { codecCount } = this.#context;
    const isFrame = (frame: unknown): boolean => frame === undefined || frame instanceof Uint8Array;
    if (!Array.isArray(frames) || frames.length !== codecCount + 1 || !frames.every(isFrame)) {
      throw new RemoteProtocolError('ERR_VOLATILE', `it is no list of a target and ${codecCount} frames`);
    }
    const [target] = frames as Frames;
    if (target === undefined || target.length > targetBytesMax) {
      throw new LocalUsageError('ERR_VOLATILE', `its target is not of 1 to ${targetBytesMax} bytes`);
    }
    return targetOf(shaped(JSON.parse(Buffer.from(target).toString()) as Value, targetShape, 'target'));
  }
}
