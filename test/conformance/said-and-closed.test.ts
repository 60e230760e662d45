// A client that resumes, says its last words and ends its session, all before the server has answered: what was said before a close with
// 1000 is handled (docs/PROTOCOL.md §5.8), also while the app is asked whether the session may come back, or the store for it.
import { memory, PublicError, type Server } from '@halyard/server';
import { describe, expect, test } from 'vitest';
import { hosts } from '../kit/hosts';
import { served } from '../kit/served';
import { handshake, Opcode, RawSocket, wsFrame } from './raw';

describe.each(hosts)('on %s', (_name, make) => {
  const { serve, open } = served(make);

  test('who closes for good, and keeps its TCP connection, is gone at once', async () => {
    const told: unknown[] = [];
    const io = await serve({}, (io) => {
      io.on('connection', (socket) => {
        told.push('came');
        socket.on('disconnect', ({ code, by }) => told.push([code, by]));
      });
    });
    const peer = await RawSocket.open(io.port, true);
    try {
      peer.write(handshake());
      await peer.until('101', () => peer.bytes.includes('\r\n\r\n') || undefined);
      peer.write(wsFrame('[0]', Opcode.Text));
      await expect.poll(() => told).toEqual(['came']);
      peer.write(wsFrame(Buffer.from([1000 >> 8, 1000 & 255]), Opcode.Close));
      // Long before a server gives up who does not let go.
      await expect.poll(() => told, { timeout: 5_000 }).toEqual(['came', [1000, 'client']]);
    } finally {
      peer.cut();
    }
  });

  describe.each([
    ['a server alone', () => ({})],
    ['servers that share a store', () => ({ adapter: memory({ shared: true }) })],
  ])('of %s', (_what, options) => {
    test.each<[string, (io: Server) => unknown]>([
      ['its server closes', (io) => io.close()],
      ['its server drains', (io) => io.close({ drainMs: 500 })],
      ['it is disconnected', (io) => io.disconnectSockets(true)],
    ])('who is connected as %s is told what is handled', async (_case, end) => {
      const io = await serve(options(), (io) => {
        io.on('connection', (socket) => socket.on('say', () => 'yes'));
      });
      const wire = await open(io);
      wire.send([0, [['/']]], [2, '/', 'say', ['one'], 1]);
      await wire.packet(3);
      await end(io);
      await wire.until(({ closed }) => closed);
      // By SACK, or by an answer.
      const counts = wire.received.filter(([type]) => [7, 8, 9].includes(type as number));
      expect(counts.at(-1)?.[1]).toBe(1);
    });

    test.each([
      ['comes back', true],
      ['may not come back', false],
    ])('who %s, and closes before it is let in', async (_case, mayCome) => {
      const told: unknown[] = [];
      let isAsked = () => {};
      const asked = new Promise<void>((resolve) => {
        isAsked = resolve;
      });
      let decide = () => {};
      const decided = new Promise<void>((resolve) => {
        decide = resolve;
      });
      const io = await serve(options(), (io) => {
        io.onResume(async () => {
          isAsked();
          await decided;
          if (!mayCome) throw new PublicError('NO', 'not you');
        });
        io.on('connection', (socket) => {
          socket.on('say', (text) => void told.push(text));
          socket.on('away', () => told.push('away'));
          socket.on('disconnect', ({ code, by }) => told.push([code, by]));
        });
      });
      const first = await open(io);
      first.send([0, [['/']]]);
      const [, session, secret] = await first.packet(1);
      await first.packet(11);
      first.cut();
      await expect.poll(() => told).toEqual(['away']);
      const back = await open(io);
      back.send([0, [], '', [session, secret, 1, 0]], [2, '/', 'say', ['one']], [2, '/', 'say', ['two']]);
      await asked;
      // The answer to it says that the server has seen it.
      await back.close(1000);
      decide();
      const end = mayCome ? ['one', 'two', [1000, 'client']] : [[4401, 'server']];
      await expect.poll(() => told).toEqual(['away', ...end]);
      expect(io.inspect().sessions).toHaveLength(0);
    });
  });
});
