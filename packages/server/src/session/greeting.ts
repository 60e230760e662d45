// A connection before its HELLO (docs/PROTOCOL.md §5.1).
import type { Codec } from '@halyard/codec';
import {
  type Close,
  CloseCode,
  type Frame,
  type HelloPacket,
  PacketType,
  RemoteProtocolError,
} from '@halyard/protocol';
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
}

export class Greeting extends Timed implements Receiver {
  readonly #connection: Connection;
  readonly #codec: Codec;
  readonly #context: GreetingContext;

  constructor(connection: Connection, codec: Codec, context: GreetingContext) {
    super();
    this.#connection = connection;
    this.#codec = codec;
    this.#context = context;
    context.greetings.add(this);
    context.wheel.schedule(this, context.wheel.now() + context.helloTimeoutMs);
  }

  onFrame(frame: Frame): void {
    this.#over();
    try {
      const packet = this.#codec.decode(frame);
      if (packet.type !== PacketType.Hello) {
        throw new RemoteProtocolError('ERR_HELLO_EXPECTED', 'the first packet is HELLO');
      }
      this.#context.greeted(this.#connection, packet);
    } catch (error) {
      if (!(error instanceof RemoteProtocolError)) throw error;
      this.#connection.close({ code: error.closeCode, reason: `${error.code}: ${error.message}`, by: 'server' });
    }
  }

  onDrain(): void {}

  onClose(_close: Close): void {
    this.#over();
  }

  override due(): void {
    this.end({ code: CloseCode.HelloTimeout, reason: 'no HELLO within helloTimeoutMs', by: 'server' });
  }

  /** Closes the connection. */
  end(close: Close): void {
    this.#over();
    this.#connection.close(close);
  }

  #over(): void {
    this.#context.greetings.delete(this);
    this.#context.wheel.cancel(this);
  }
}
