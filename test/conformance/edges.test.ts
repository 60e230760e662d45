// What one client does that others must not feel, and what it says last, which is handled all the same.
// Longer than other files: a case for each limit, on every transport.
import { connect, polling, websocket } from '@halyard/client';
import { json } from '@halyard/codec/json';
import { msgpack } from '@halyard/codec-msgpack';
import type { Server, Socket as ServerSocket, Warning } from '@halyard/server';
import { describe, expect, test } from 'vitest';
import { hosts } from '../kit/hosts';
import { served } from '../kit/served';
import { WireClient } from '../kit/wire';
import { Poller } from './poller';

/** A promise and the function that resolves it. */
function gate(): { readonly promise: Promise<void>; open: () => void } {
  let open = (): void => {};
  const promise = new Promise<void>((resolve) => {
    open = resolve;
  });
  return { promise, open };
}

/** What comes in one body is handled as it comes. */
const atAnyRate = { packetsPerSecondMax: 1 << 24 };

describe.each(hosts)('on %s', (_name, host) => {
  const { cleanUp, serve, open } = served(host, { codecs: [json(), msgpack()] });

  describe('events followed at once by a disconnect', () => {
    /** A client by hand, whose last word the server has heard when `leave` resolves. */
    const kinds: Record<
      string,
      (port: number) => Promise<{ send: (...packets: unknown[][]) => void; leave: () => Promise<unknown> }>
    > = {
      websocket: async (port) => {
        const wire = await WireClient.open(port);
        return { send: (...packets) => wire.send(...packets), leave: () => wire.close(1000) };
      },
      polling: async (port) => {
        const poller = await Poller.open(port);
        let sent = Promise.resolve<unknown>(undefined);
        return {
          send: (...packets) => {
            sent = sent.then(() => poller.send(...packets));
          },
          leave: async () => {
            await sent;
            await poller.request('DELETE', { 'halyard-close': '1000' });
          },
        };
      },
    };

    for (const [kind, open] of Object.entries(kinds)) {
      test.each(['the namespace', 'the socket'])(
        `are handled when middleware of %s lets them pass after the client has gone, ${kind}`,
        async (where) => {
          const happened: string[] = [];
          const { promise, open: letPass } = gate();
          const io = await serve({}, (server) => {
            for (const name of ['/', '/b']) {
              const namespace = server.of(name);
              if (where === 'the namespace') namespace.use(() => promise);
              namespace.on('connection', (socket) => {
                if (where === 'the socket') socket.use(() => promise);
                socket.join('room');
                happened.push(`${name} in`);
                socket.on('e', (n: number) => {
                  happened.push(`${name} ${n} ${socket.connected}`);
                  return n;
                });
                socket.on('disconnect', () => happened.push(`${name} out`));
              });
            }
          });
          const client = await open(io.port);
          // One namespace of two is left, then the last one, and with it the session.
          client.send([0, [['/'], ['/b']]]);
          client.send([2, '/b', 'e', [1], 1], [2, '/b', 'e', [2]], [13, '/b'], [2, '/', 'e', [3]]);
          await client.leave();
          expect(happened.filter((what) => !what.endsWith('in'))).toEqual([]);
          letPass();
          await expect.poll(() => happened.filter((what) => what.endsWith('out')).length).toBe(2);
          expect(happened.filter((what) => what.startsWith('/b'))).toEqual([
            '/b in',
            '/b 1 true',
            '/b 2 true',
            '/b out',
          ]);
          expect(happened.filter((what) => !what.startsWith('/b'))).toEqual(['/ in', '/ 3 true', '/ out']);
          expect([io.sockets.size, io.of('/b').sockets.size, io.of('/').rooms.size]).toEqual([0, 0, 0]);
        },
      );
    }

    test('are told at once to a client that leaves the last namespace', async () => {
      for (const transport of [websocket, polling]) {
        const io = await serve({}, (server) => {
          server.on('connection', (socket) => {
            socket.use(() => new Promise(() => {}));
          });
        });
        const client = connect(`http://127.0.0.1:${io.port}`, { transports: [transport()] });
        cleanUp.push(() => client.connection.close());
        await new Promise((resolve) => client.on('connect', resolve));
        const reply = client.timeout(600_000).emitWithAck('e');
        client.disconnect();
        await expect(reply).rejects.toMatchObject({ code: 'ERR_DISCONNECTED' });
      }
    });

    test('are answered if the session goes on, and the namespace can be entered again meanwhile', async () => {
      const passes = [gate(), gate()];
      let asked = 0;
      const io = await serve({}, (server) => {
        server.of('/b').use(() => passes[asked++]?.promise);
        server.of('/b').on('connection', (socket) => {
          socket.join('room');
          socket.on('e', (n: number) => n);
        });
      });
      const wire = await open(io);
      wire.send([0], [10, '/b'], [2, '/b', 'e', [1], 1], [13, '/b'], [10, '/b'], [2, '/b', 'e', [2], 2]);
      await wire.packet(1);
      passes[1]?.open();
      expect(await wire.packet(3)).toEqual([3, 2, 2]);
      passes[0]?.open();
      expect(await wire.packet(3, ([, ack]) => ack === 1)).toEqual([3, 1, 1]);
      // The one that came for what it had said has gone; the other one is in its room, and hears what is said there.
      io.of('/b').to('room').emit('n', 1);
      await wire.settle();
      expect(wire.received.filter(([type, name]) => type === 11 && name === '/b').length).toBe(1);
      expect(wire.events).toEqual(['n 1']);
      expect(io.of('/b').sockets.size).toBe(1);
    });

    /** A client that left `/` while its event was in middleware, and is in it again; and what lets that event pass. */
    const twice = async (handle: (io: Server, socket: ServerSocket, what: unknown) => void) => {
      const { promise, open: letPass } = gate();
      let entered = 0;
      const io = await serve({ ackTimeoutMs: 60_000 }, (server) => {
        server.on('connection', (socket) => {
          socket.join('room');
          if (entered++ === 0) socket.use(() => promise);
          socket.on('e', (what: unknown) => handle(server, socket, what));
        });
      });
      const wire = await open(io);
      wire.send([0]);
      await wire.packet(11);
      wire.send([2, '/', 'e', ['first']], [13, '/'], [10, '/']);
      await wire.until(({ received }) => received.filter(([type]) => type === 11).length === 2);
      return { io, wire, letPass };
    };

    test('the one that has left speaks to the others, of whom one is of the same session', async () => {
      const { wire, letPass } = await twice((_, socket) => socket.to('room').emit('n', 1));
      letPass();
      await wire.until(({ events }) => events.includes('n 1'));
      await wire.settle();
      expect(wire.events).toEqual(['n 1']);
    });

    test('the one that has left is disconnected by the app, and the other one stays', async () => {
      const { io, wire, letPass } = await twice((server, socket) => {
        socket.disconnect();
        server.to('room').emit('n', 1);
      });
      letPass();
      await wire.until(({ events }) => events.includes('n 1'));
      expect(wire.received.filter(([type]) => type === 13)).toEqual([]);
      expect(io.sockets.size).toBe(1);
    });

    test('the one that has left is asked nothing, and sent nothing twice', async () => {
      const { io, wire } = await twice(() => {});
      const replies = io.emitWithAck('question');
      io.volatile.emit('v', 1);
      io.to(['room', 'elsewhere']).emit('n', 1);
      const [, , , , ack] = await wire.packet(2);
      wire.send([3, ack, 'answer']);
      expect(await replies).toEqual({ replies: ['answer'], missing: [] });
      await wire.settle();
      expect(wire.received.filter(([type]) => type === 2 || type === 6).length).toBe(2);
      expect((await io.fetchSockets()).length).toBe(1);
    });

    test('nobody who has gone is asked', async () => {
      const io = await serve({ ackTimeoutMs: 60_000 }, (server) => {
        server.on('connection', (socket) => {
          socket.use(() => new Promise(() => {}));
        });
      });
      const wire = await open(io);
      wire.send([0], [2, '/', 'e', []]);
      await wire.packet(11);
      await wire.close(1000);
      expect(await io.emitWithAck('question')).toEqual({ replies: [], missing: [] });
    });

    test('wait for middleware that never ends in each namespace, however late that is entered', async () => {
      const { promise, open: letPass } = gate();
      const io = await serve({ ackTimeoutMs: 300 }, (server) => {
        server.of('/b').use(() => promise);
        for (const name of ['/', '/b']) {
          server.of(name).on('connection', (socket) => {
            socket.use(() => new Promise(() => {}));
          });
        }
      });
      const wire = await open(io);
      wire.send([0, [['/'], ['/b']]], [2, '/', 'e', []], [2, '/b', 'e', []]);
      await wire.packet(11);
      await wire.close(1000);
      await new Promise((resolve) => setTimeout(resolve, 150));
      letPass();
      await expect.poll(() => [io.sockets.size, io.of('/b').sockets.size]).toEqual([0, 0]);
    });

    test('of a body that is still being handled, all of it', async () => {
      let handled = 0;
      const io = await serve(atAnyRate, (server) =>
        server.on('connection', (socket) => {
          socket.on('e', () => {
            handled++;
          });
        }),
      );
      const poller = await Poller.open(io.port);
      await poller.send([0]);
      const body = poller.post(2, '[2,"/","e",[]]\n'.repeat(20_000));
      await expect.poll(() => handled, { interval: 1 }).toBeGreaterThan(0);
      await poller.request('DELETE', { 'halyard-close': '1000' });
      await body;
      await expect.poll(() => io.sockets.size).toBe(0);
      expect(handled).toBe(20_000);
    });

    test('a result that throws when it is looked at is a failed handler', async () => {
      const io = await serve({}, (server) => {
        server.on('error', () => {});
        server.on('connection', (socket) => {
          socket.use(() => {});
          socket.on('e', () =>
            Object.defineProperty({}, 'then', {
              get() {
                throw new Error('look away');
              },
            }),
          );
        });
      });
      const wire = await open(io);
      wire.send([0], [2, '/', 'e', [], 1], [2, '/', 'e', [], 2]);
      expect(await wire.packet(4, ([, ack]) => ack === 2)).toEqual([4, 2, 'ERR_HANDLER', 'The handler failed.']);
    });

    test('without events the question is taken back', async () => {
      const { promise, open: letPass } = gate();
      let connected = 0;
      const io = await serve({}, (server) => {
        server.of('/b').use(() => promise);
        server.of('/b').on('connection', () => connected++);
      });
      const wire = await open(io);
      wire.send([0], [10, '/b'], [13, '/b']);
      await wire.packet(11);
      letPass();
      await wire.settle();
      expect([connected, wire.received.filter(([, name]) => name === '/b')]).toEqual([0, []]);
    });

    test('wait for middleware that never ends no longer than for a reply', async () => {
      const io = await serve({ ackTimeoutMs: 1 }, (server) => {
        server.on('connection', (socket) => {
          socket.use(() => new Promise(() => {}));
        });
      });
      const wire = await open(io);
      wire.send([0], [2, '/', 'e', []]);
      await wire.packet(11);
      await wire.close(1000);
      await expect.poll(() => io.sockets.size).toBe(0);
    });
  });

  test('a body of 279,000 frames is handled in slices, once, and answered at its end', async () => {
    let handled = 0;
    let most = 0;
    const io = await serve(atAnyRate, (server) =>
      server.on('connection', (socket) => {
        let thisTurn = 0;
        socket.on('e', () => {
          handled++;
          if (thisTurn++ === 0) {
            setImmediate(() => {
              most = Math.max(most, thisTurn);
              thisTurn = 0;
            });
          }
        });
      }),
    );
    const poller = await Poller.open(io.port);
    await poller.send([0]);
    const frame = '[2,"/","e",[]]\n';
    const count = 50_000;
    const answer = poller.post(2, frame.repeat(count));
    expect((await answer).status).toBeLessThan(300);
    expect(handled).toBe(count);
    expect(most).toBeLessThanOrEqual(512);
    // As many as fit into a body, and a body of nothing but line ends. Neighbours are answered meanwhile.
    const neighbour = await open(io);
    neighbour.send([0]);
    await neighbour.packet(11);
    let over = false;
    const large = poller.post(3, '[6,"/","f",[]]\n'.repeat(279_000)).finally(() => {
      over = true;
    });
    let answers = 0;
    while (!over) {
      await neighbour.settle();
      answers++;
    }
    expect((await large).status).toBeLessThan(300);
    // It takes some thousand turns of the server, of which the client's process has its share.
    expect(answers).toBeGreaterThan(100);
    expect((await poller.post(4, '\n'.repeat(4_000_000))).status).toBeLessThan(300);
    expect((await poller.post(5, frame)).status).toBeLessThan(300);
    expect(handled).toBe(count + 1);
  });

  test('a body that is sent again while it is handled is handled once; the next one may not come before its answer', async () => {
    let handled = 0;
    const io = await serve(atAnyRate, (server) =>
      server.on('connection', (socket) => {
        socket.on('e', () => {
          handled++;
        });
      }),
    );
    const poller = await Poller.open(io.port);
    await poller.send([0]);
    const body = '[2,"/","e",[]]\n'.repeat(20_000);
    const answers = await Promise.all([poller.post(2, body), poller.post(2, body), poller.post(2, body)]);
    expect(answers.every(({ status }) => status < 300)).toBe(true);
    expect(handled).toBe(20_000);
    const third = poller.post(3, body);
    await expect.poll(() => handled, { interval: 1 }).toBeGreaterThan(20_000);
    expect((await poller.post(4, body)).status).toBe(400);
    expect((await third).status).toBeLessThan(300);
  });

  test('dynamic namespaces are bounded for a session and an address before the whole is full', async () => {
    const warned: Warning[] = [];
    const io = await serve(
      {
        dynamicNamespacesMax: 30,
        dynamicNamespacesPerAddressMax: 20,
        dynamicNamespacesPerSessionMax: 8,
        trustProxy: true,
      },
      (server) => {
        server.on('warning', (warning) => warned.push(warning));
        server.of(/^\/any/);
      },
    );
    const ask = async (from: string, first: number, count: number) => {
      const wire = await WireClient.open(io.port, { 'x-forwarded-for': from });
      cleanUp.push(() => wire.cut());
      wire.send([0, Array.from({ length: count }, (_, i) => [`/any ${first + i}`])]);
      await wire.until(({ received }) => received.filter(([type]) => type === 11 || type === 12).length === count);
      return {
        wire,
        entered: wire.received.filter(([type]) => type === 11).length,
        refused: new Set(
          wire.received.filter(([type]) => type === 12).map(([, , code, message]) => `${code} ${message}`),
        ),
      };
    };
    const one = await ask('192.0.2.1', 0, 12);
    expect(one.entered).toBe(8);
    expect([...one.refused].join()).toMatch(/^ERR_DYNAMIC_NAMESPACES_FULL .*dynamicNamespacesPerSessionMax/);
    // Those that are there may be entered by anyone.
    expect((await ask('192.0.2.1', 0, 8)).entered).toBe(8);
    expect((await ask('192.0.2.1', 100, 8)).entered).toBe(8);
    const third = await ask('192.0.2.1', 200, 8);
    expect(third.entered).toBe(4);
    expect([...third.refused].join()).toContain('dynamicNamespacesPerAddressMax');
    // Another address still can, until the whole is full.
    expect((await ask('192.0.2.2', 300, 8)).entered).toBe(8);
    const last = await ask('192.0.2.3', 400, 8);
    expect(last.entered).toBe(2);
    expect([...last.refused].join()).toContain('dynamicNamespacesMax');
    expect(warned.map(({ code }) => code)).toEqual([
      'dynamicNamespacesPerSessionMax',
      'dynamicNamespacesPerAddressMax',
      'dynamicNamespacesMax',
    ]);
    // What is empty is gone, and counts no more.
    await one.wire.close(1000);
    await third.wire.close(1000);
    await expect.poll(async () => (await ask('192.0.2.4', 500, 2)).entered).toBe(2);
  });

  test('a session that the server ends for a reason of its own: the socket says why, a warning names the option', async () => {
    const ends: string[] = [];
    const warned: Warning[] = [];
    const io = await serve({ outboxPacketsMax: 16, frameBytesMax: 1_024, sessionsMax: 4 }, (server) => {
      server.on('warning', (warning) => warned.push(warning));
      server.on('connection', (socket) => {
        socket.on('disconnect', ({ code, reason, by }) => ends.push(`${code} ${reason} ${by}`));
        socket.on('flood', () => {
          for (let i = 0; i < 20; i++) socket.emit('e');
        });
      });
    });
    const end = async (...packets: unknown[][]): Promise<{ code: number; reason: string }> => {
      const wire = await open(io);
      wire.send([0]);
      await wire.packet(11);
      wire.send(...packets);
      return wire.until(({ closed }) => closed);
    };
    expect((await end([2, '/', 'flood', []])).code).toBe(4413);
    expect((await end([2, '/', 'e', ['x'.repeat(2_000)]])).code).toBe(1009);
    await expect.poll(() => ends.length).toBe(2);
    expect(ends.map((what) => what.split(' ')[0])).toEqual(['4413', '1009']);
    expect(ends.every((what) => what.endsWith(' server'))).toBe(true);
    expect(warned.map(({ code }) => code)).toEqual(['outboxPacketsMax', 'frameBytesMax']);
    expect(warned[0]?.message).toContain('outboxPacketsMax');
    // Again within a minute: nothing is said.
    await end([2, '/', 'flood', []]);
    expect(warned.length).toBe(2);
    for (let i = 0; i < 5; i++) (await open(io)).send([0]);
    await expect.poll(() => warned.at(-1)?.code).toBe('sessionsMax');
  });
});
