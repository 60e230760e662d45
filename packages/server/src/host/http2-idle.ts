// A connection of HTTP/2 on which nothing is asked for: Node keeps it for ever, whatever stands still or drips on it.
import type { ServerHttp2Session } from 'node:http2';
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
