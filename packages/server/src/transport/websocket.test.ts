import { describe, expect, test, vi } from 'vitest';
import type { HostSocket } from '../host/host';
import { Peer } from '../host/host';
import { Flusher } from './flusher';
import { WebSocketConnection } from './websocket';

const goodbye = { code: 1000, reason: 'é'.repeat(100), by: 'server' } as const;

/** A socket as strict as a native one: whatever is done with it after its end throws. */
class StrictSocket implements HostSocket {
  readonly done: string[] = [];
  buffered = 0;
  /** The frame at which the host cuts it. */
  cutAt: string | undefined;
  cut = (): void => {};
  #open = true;

  send(frame: string): void {
    this.#use(`send ${frame}`);
    if (frame !== this.cutAt) return;
    this.#open = false;
    this.cut();
  }

  cork(write: () => void): void {
    this.#use('cork');
    write();
  }

  getBufferedAmount(): number {
    if (!this.#open) throw new Error('used after its end');
    return this.buffered;
  }

  subscribe(topic: string): void {
    this.#use(`subscribe ${topic}`);
  }

  unsubscribe(topic: string): void {
    this.#use(`unsubscribe ${topic}`);
  }

  publish(topic: string, frame: string): void {
    this.#use(`publish ${topic} ${frame}`);
  }

  end(code: number, reason: string): void {
    this.#use(`end ${code} ${Buffer.byteLength(reason)}`);
    this.#open = false;
    this.cut();
  }

  #use(what: string): void {
    if (!this.#open) throw new Error(`${what}: used after its end`);
    this.done.push(what);
  }
}

function setUp({ native = true } = {}) {
  const socket = new StrictSocket();
  const settings = { codecIndex: 0, binary: false, frameBytesMax: 100, native, gathersInMessage: true };
  const connection = new WebSocketConnection(socket, new Peer('::1', false, []), {
    ...settings,
    flusher: new Flusher(),
  });
  const receiver = { onFrame: vi.fn(), onDrain: vi.fn(), onClose: vi.fn() };
  connection.receiver = receiver;
  socket.cut = () => connection.onClose(1006, '');
  return { socket, connection, receiver };
}

describe('sending', () => {
  test('one frame goes alone, more in one write, in order, before what follows', () => {
    const { socket, connection } = setUp();
    connection.send('a');
    connection.flush();
    connection.send('b');
    connection.send('c');
    connection.subscribe('room');
    connection.send('d');
    connection.close(goodbye);
    expect(socket.done).toEqual(['send a', 'cork', 'send b', 'send c', 'subscribe room', 'send d', 'end 1000 122']);
  });

  test.each(['a', 'b'])('nothing follows frame %s, at which the host cuts the socket', (cutAt) => {
    for (const act of [
      (connection: WebSocketConnection) => connection.flush(),
      (connection: WebSocketConnection) => connection.subscribe('room'),
      (connection: WebSocketConnection) => connection.close(goodbye),
    ]) {
      const { socket, connection, receiver } = setUp();
      socket.cutAt = cutAt;
      connection.send('a');
      connection.send('b');
      connection.notifyDrain();
      act(connection);
      expect(socket.done.at(-1)).toBe(`send ${cutAt}`);
      expect(receiver.onClose).toHaveBeenCalledOnce();
      expect(receiver.onDrain).not.toHaveBeenCalled();
    }
  });
});

describe('publishing to others', () => {
  test('is done by the socket, until it has ended', () => {
    const { socket, connection } = setUp();
    expect(connection.publish('room', 'a')).toBe(true);
    connection.close(goodbye);
    expect(connection.publish('room', 'b')).toBe(false);
    expect(socket.done).toEqual(['publish room a', 'end 1000 122']);
  });

  test('is not done where the host has no native fan-out', () => {
    const { socket, connection } = setUp({ native: false });
    expect(connection.publish('room', 'a')).toBe(false);
    expect(socket.done).toEqual([]);
  });
});

describe('closing', () => {
  test('ends the socket once, when what hears of the drain closes too', () => {
    const { socket, connection, receiver } = setUp();
    receiver.onDrain.mockImplementation(() => connection.close(goodbye));
    connection.notifyDrain();
    connection.close(goodbye);
    connection.flush();
    expect(socket.done).toEqual(['end 1000 122']);
    expect(receiver.onClose).not.toHaveBeenCalled();
  });

  test('afterwards nothing touches the socket', () => {
    const { socket, connection, receiver } = setUp();
    connection.close(goodbye);
    const done = [...socket.done];
    connection.send('a');
    connection.flush();
    connection.subscribe('room');
    connection.unsubscribe('room');
    connection.close(goodbye);
    connection.onMessage(new ArrayBuffer(1), false);
    connection.onDrain();
    connection.onClose(1006, '');
    expect([connection.bufferedBytes, connection.slow]).toEqual([0, false]);
    expect(socket.done).toEqual(done);
    expect(receiver.onFrame).not.toHaveBeenCalled();
  });

  test('after a message of the wrong kind, with a drain pending, once', () => {
    const { socket, connection, receiver } = setUp();
    receiver.onDrain.mockImplementation(() => connection.close(goodbye));
    connection.notifyDrain();
    connection.onMessage(new ArrayBuffer(1), true);
    expect(socket.done).toEqual([expect.stringMatching(/^end 1003 /)]);
    expect(receiver.onClose).toHaveBeenCalledOnce();
  });
});
