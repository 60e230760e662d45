// A connection before its HELLO (docs/PROTOCOL.md §5.1): it may be asked whether it carries anything.
import type { Codec } from '@halyard/codec';
import {
  type Close,
  CloseCode,
  type Frame,
  type HelloPacket,
  PacketType,
  packetLimits,
  RemoteProtocolError,
} from '@halyard/protocol';
import { warnOfClose } from '../base/warnings';
import { Timed, type TimerWheel } from '../base/wheel';
import type { Connection, Receiver } from '../wire/connection';

/** What a greeting needs of the server. */
export interface GreetingContext {
  readonly wheel: TimerWheel;
  readonly helloTimeoutMs: number;
  /** Greetings under way: each takes itself out. */
  readonly greetings: Set<Greeting>;
  /** Takes the connection over, or closes it. */
  greeted(connection: Connection, hello: HelloPacket): void;
  /** A limit was met. @param code the option */
  warn(code: string, message: string): void;
}

export class Greeting extends Timed implements Receiver {
  readonly #connection: Connection;
  readonly #codec: Codec;
  readonly #context: GreetingContext;
  #pings = 0;

  constructor(connection: Connection, codec: Codec, context: GreetingContext) {
    super();
    this.#connection = connection;
    this.#codec = codec;
    this.#context = context;
    context.greetings.add(this);
    context.wheel.schedule(this, context.wheel.now() + context.helloTimeoutMs);
  }

  onFrame(frame: Frame): void {
    try {
      const packet = this.#codec.decode(frame);
      if (packet.type === PacketType.Ping && ++this.#pings <= packetLimits.helloPingsMax) {
        // The proof of a path, for who goes on with a session here if this is one.
        this.#connection.send(this.#codec.encode({ type: PacketType.Pong, received: undefined }));
        return;
      }
      this.#over();
      if (packet.type !== PacketType.Hello) {
        throw new RemoteProtocolError('ERR_HELLO_EXPECTED', 'the first packet is HELLO');
      }
      if (packet.resume !== undefined && packet.token !== '') {
        throw new RemoteProtocolError('ERR_PACKET_SHAPE', 'HELLO has a token, or resumes');
      }
      this.#context.greeted(this.#connection, packet);
    } catch (error) {
      this.#over();
      if (!(error instanceof RemoteProtocolError)) throw error;
      this.#connection.close({ code: error.closeCode, reason: `${error.code}: ${error.message}`, by: 'server' });
    }
  }

  onDrain(): void {}

  onClose(close: Close): void {
    this.#over();
    warnOfClose(close, this.#context.warn);
  }

  override due(): void {
    this.end({ code: CloseCode.HelloTimeout, reason: 'no HELLO within helloTimeoutMs', by: 'server' });
  }

  /** Closes the connection. */
  end(close: Close): void {
    this.#over();
    warnOfClose(close, this.#context.warn);
    this.#connection.close(close);
  }

  #over(): void {
    this.#context.greetings.delete(this);
    this.#context.wheel.cancel(this);
  }
}
