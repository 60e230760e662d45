// Connections of HTTP/2 on which nothing is asked for, and streams of which nothing is read: Node keeps them for ever, whatever stands
// still or drips on them.
import { constants, type ServerHttp2Session, type ServerHttp2Stream } from 'node:http2';
import type { Platform } from '../base/platform';

/** Ends a connection once it has had no stream for so long: who has more to ask opens another. */
export function endIdle(session: ServerHttp2Session, idleMsMax: number, platform: Platform): void {
  let streams = 0;
  const wait = (): (() => void) =>
    platform.after(idleMsMax, () => {
      // Tells by GOAWAY that what comes now was not looked at (RFC 9113 §6.8). Who does not take that goes without it.
      session.close();
      cancel = platform.after(idleMsMax, () => session.destroy());
    });
  let cancel = wait();
  session.on('stream', (stream) => {
    streams++;
    cancel();
    stream.once('close', () => {
      if (--streams === 0 && !session.closed) cancel = wait();
    });
  });
  session.once('close', () => cancel());
}

/** Slower than this nobody reads an answer: how far one has come Node does not say before all of it is out. */
const bytesPerSecondMin = 1_024;

/**
 * Ends streams whose answer is at its end and is not read: after `unreadMsMax`, or up to twice that, and as much longer as the rest of the
 * answer takes who reads slowly. They would be kept for ever, whatever else goes on there.
 */
export function endUnread(session: ServerHttp2Session, unreadMsMax: number, platform: Platform): void {
  const bytesMin = (bytesPerSecondMin * unreadMsMax) / 1_000;
  /** How often it may be looked at yet, once its answer is at its end. */
  const looks = new Map<ServerHttp2Stream, number | undefined>();
  let cancel: (() => void) | undefined;
  const look = (): void => {
    for (const [stream, left] of looks) {
      if (!stream.writableEnded) continue;
      if (left === undefined) looks.set(stream, Math.floor(stream.writableLength / bytesMin));
      else if (left > 0) looks.set(stream, left - 1);
      else stream.close(constants.NGHTTP2_CANCEL);
    }
    cancel = looks.size === 0 ? undefined : platform.after(unreadMsMax, look);
  };
  session.on('stream', (stream) => {
    looks.set(stream, undefined);
    stream.once('close', () => looks.delete(stream));
    cancel ??= platform.after(unreadMsMax, look);
  });
  session.once('close', () => cancel?.());
}
