// The message types of a contract: the codec protobuf has them on both ends.
import { connect } from '@halyard/client/contract';
import { json } from '@halyard/codec/json';
import { protobuf } from '@halyard/codec-protobuf';
import { contract } from '@halyard/contract';
import { PacketType } from '@halyard/protocol';
import protobufjs from 'protobufjs';
import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { hosts } from '../kit/hosts';
import { served } from '../kit/served';

describe.each(hosts)('on %s', (_name, host) => {
  const { cleanUp, serve } = served(host);

  test('the codec protobuf carries its events by their message types, and others say the same', async () => {
    const proto = 'syntax = "proto3"; message Point { sint32 x = 1; sint32 y = 2; }';
    const point = {
      args: [z.object({ x: z.int(), y: z.int().max(9) })],
      protobuf: protobufjs.parse(proto).root.lookupType('Point'),
    };
    const game = contract({
      clientToServer: { move: { ...point, reply: z.number() } },
      serverToClient: { placed: point },
    });
    const io = await serve({ codecs: [protobuf(game), json()] }, (server) => {
      server.of('/', { contract: game }).on('connection', (socket) => {
        socket.on('move', (place) => {
          socket.emit('placed', place);
          return place.x + place.y;
        });
      });
    });
    for (const codec of [protobuf(game), json()]) {
      const socket = connect(`http://127.0.0.1:${io.port}`, { contract: game, codec });
      cleanUp.push(() => socket.connection.close());
      const placed: unknown[] = [];
      socket.on('placed', (place) => placed.push(place));
      expect(await socket.emitWithAck('move', { x: 2, y: -3 })).toBe(-1);
      expect(placed).toEqual([{ x: 2, y: -3 }]);
    }
    // Of the message, and not of the generic value.
    const bytes = protobuf(game).encode({
      type: PacketType.Volatile,
      namespace: '/',
      event: 'move',
      args: [{ x: 2, y: -3 }],
    });
    expect(Buffer.from(bytes as Uint8Array).toString('hex')).toMatch(/7a0408041005$/);
  });
});
