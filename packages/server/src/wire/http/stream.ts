// The sse transport (docs/PROTOCOL.md §7.1): frames go out over one answer that does not end, as server-sent events, and come in
// bodies, as with polling.
import { CloseCode, type Frame } from '@halyard/protocol';
import type { HttpAnswer, HttpReply, HttpStream } from '../../host/host';
import { accepted, closeText, connectionUnknown, HttpConnection } from './http-connection';

/** What is written at one time is closed at about this many bytes. */
const writeBytesMax = 1 << 16;
/** Proxies cut a stream on which nothing comes, after 30 s the most impatient of those that are common. */
const commentMs = 15_000;
/** Some that look into answers pass nothing on before they have so much of it. */
const firstBytes = 2_048;
/** A page that is left ends its stream, and says why by a request that may come behind that. */
const goneMs = 1_000;
const firstComment = `:${' '.repeat(firstBytes)}\n\n`;
const comment = ':\n\n';

export class StreamConnection extends HttpConnection {
  readonly transport = 'sse';
  #stream: HttpStream | undefined;

  /** @param stream the answer; undefined if its client is gone */
  begin(stream: HttpStream | undefined): void {
    if (stream === undefined) {
      this.#gone();
      return;
    }
    this.#stream = stream;
    stream.onDrain = () => {
      const writes = this.queue.length > 0;
      // With nothing to say, a comment has what waits in the host leave.
      this.flush();
      if (!writes && this.closed === undefined && stream.isWritable) stream.write(comment);
    };
    stream.onGone = () => this.#gone();
    stream.write(firstComment);
    this.#dueIn(commentMs);
  }

  override due(): void {
    if (this.closed !== undefined) {
      this.#stream?.end();
      this.#stream = undefined;
      this.forget();
    } else if (this.#stream === undefined) {
      this.end({ code: CloseCode.Abnormal, reason: '', by: 'network' });
      this.forget();
    } else {
      if (this.#stream.isWritable) this.#stream.write(comment);
      this.#dueIn(commentMs);
    }
  }

  /** No such request is for a stream. */
  override poll(_received: number, reply: HttpReply): void {
    reply.send(connectionUnknown);
  }

  /** Answers have no frames, and so no numbers. */
  protected override confirm(received: number, reply: HttpReply): boolean {
    if (received === 0) return true;
    this.fail(reply, 'ERR_SEQUENCE', 'expected halyard-ack 0: the answers of a stream have no numbers');
    return false;
  }

  protected override get unconfirmed(): undefined {
    return undefined;
  }

  protected override answerBody(reply: HttpReply): void {
    reply.send(accepted(this.id));
  }

  protected override get takes(): boolean {
    return this.#stream?.isWritable === true;
  }

  protected override sendOut(): void {
    const stream = this.#stream;
    if (stream === undefined) return;
    while (this.queue.length > 0 && stream.isWritable) {
      stream.write(
        this.takeQueued(writeBytesMax)
          .map(this.binary ? bytesEvent : textEvent)
          .join(''),
      );
    }
    if (this.closed === undefined || this.queue.length > 0) return;
    this.#stream = undefined;
    stream.write(`event: close\ndata: ${closeText(this.closed)}\n\n`);
    stream.end();
  }

  #gone(): void {
    this.#stream = undefined;
    if (this.closed === undefined) this.#dueIn(goneMs);
  }

  #dueIn(ms: number): void {
    const { wheel } = this.settings;
    wheel.schedule(this, wheel.now() + ms);
  }
}

/** Text frames hold no line end: JSON escapes it. */
function textEvent(frame: Frame): string {
  return `data: ${frame}\n\n`;
}

function bytesEvent(frame: Frame): string {
  const { buffer, byteOffset, length } = frame as Uint8Array;
  return `data: ${Buffer.from(buffer, byteOffset, length).toString('base64')}\n\n`;
}

/** What the answer begins with. @param headers of the connection that is opened */
export function streamAnswer(headers: Readonly<Record<string, string>>): HttpAnswer {
  return {
    status: 200,
    headers: {
      ...headers,
      'content-type': 'text/event-stream',
      // Nothing on the way may change it, and nginx is not to gather it.
      'cache-control': 'no-store, no-transform',
      'x-accel-buffering': 'no',
    },
  };
}
