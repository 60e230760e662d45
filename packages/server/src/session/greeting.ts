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
import type { Connection, Receiver } from '../transport/connection';
import { Timed, type TimerWheel } from './wheel';

export class Greeting extends Timed implements Receiver {
  readonly #connection: Connection;
  readonly #codec: Codec;
  readonly #wheel: TimerWheel;
  readonly #greeted: (hello: HelloPacket) => void;

  /** @param greeted takes the connection over, or closes it */
  constructor(
    connection: Connection,
    codec: Codec,
    wheel: TimerWheel,
    helloTimeoutMs: number,
    greeted: (hello: HelloPacket) => void,
  ) {
    super();
    this.#connection = connection;
    this.#codec = codec;
    this.#wheel = wheel;
    this.#greeted = greeted;
    wheel.schedule(this, wheel.now() + helloTimeoutMs);
  }

  onFrame(frame: Frame): void {
    this.#wheel.cancel(this);
    try {
      const packet = this.#codec.decode(frame);
      if (packet.type !== PacketType.Hello)
        throw new RemoteProtocolError('ERR_HELLO_EXPECTED', 'the first packet is HELLO');
      this.#greeted(packet);
    } catch (error) {
      if (!(error instanceof RemoteProtocolError)) throw error;
      this.#connection.close({ code: error.closeCode, reason: `${error.code}: ${error.message}`, by: 'server' });
    }
  }

  onDrain(): void {}

  onClose(_close: Close): void {
    this.#wheel.cancel(this);
  }

  override due(): void {
    this.#connection.close({ code: CloseCode.HelloTimeout, reason: 'no HELLO within helloTimeoutMs', by: 'server' });
  }
}
