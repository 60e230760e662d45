// The `ws` package by hand.
import type { AddressInfo } from 'node:net';
import type { WebSocket } from 'ws';
import type { Payload, Plan } from '../contract/plan';
import type { Running, Subject, Tally } from './subject';

export const wsByHand: Subject = {
  name: 'ws',
  title: 'ws by hand',
  dialect: 'raw',
  async start(plan: Plan, tally: Tally): Promise<Running> {
    const { WebSocketServer } = await import('ws');
    const server = new WebSocketServer({ host: '127.0.0.1', port: 0, perMessageDeflate: false, maxPayload: 1 << 20 });
    const rooms = new Map<string, Set<WebSocket>>();
    const delivery = (payload: Payload) => Buffer.from(JSON.stringify(['message', payload]));
    const sendAll = (clients: Iterable<WebSocket>, payload: Payload, except?: WebSocket) => {
      const frame = delivery(payload);
      for (const client of clients) if (client !== except) client.send(frame, { binary: false });
    };

    server.on('connection', (client) => {
      const joined: Set<WebSocket>[] = [];
      client.on('message', (data: Buffer, isBinary) => {
        tally.handled++;
        if (isBinary) {
          client.send(data);
          return;
        }
        const [event, id, first, second] = JSON.parse(data.toString()) as [string, number, string, string];
        switch (event) {
          case 'echo':
            client.send(JSON.stringify([id, first]));
            break;
          case 'say':
            sendAll(rooms.get(first) ?? [], second, client);
            break;
          case 'join': {
            const members = rooms.get(first) ?? new Set<WebSocket>();
            rooms.set(first, members.add(client));
            joined.push(members);
            client.send(JSON.stringify([id, true]));
            break;
          }
        }
      });
      client.on('error', () => client.terminate());
      client.on('close', () => {
        for (const members of joined) members.delete(client);
      });
    });
    if (plan.heartbeatMs !== undefined) {
      setInterval(() => {
        for (const client of server.clients) client.ping();
      }, plan.heartbeatMs);
    }
    await new Promise((resolve) => server.once('listening', resolve));
    return {
      port: (server.address() as AddressInfo).port,
      emit(targets, payload) {
        if (targets === undefined) return sendAll(server.clients, payload);
        const members = new Set<WebSocket>();
        for (const room of targets) for (const member of rooms.get(room) ?? []) members.add(member);
        sendAll(members, payload);
      },
    };
  },
};
