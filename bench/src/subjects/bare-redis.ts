// uWebSockets.js and ioredis by hand: the least that a message takes which Redis keeps before another server gets it. It has no sessions,
// nobody is told what is stored, and who was away gets nothing.
import type { WebSocket } from 'uWebSockets.js';
import type { SharedRedis } from '../contract/operations';
import type { Payload, Plan } from '../contract/plan';
import type { Running, Subject, Tally } from './subject';

interface UserData {
  readonly id: number;
}

const everybody = 'all';
const keptPerRoom = 512;

export const bareRedis: Subject = {
  name: 'bare-redis',
  title: 'uWebSockets.js and ioredis by hand, each message kept in a stream of its room',
  dialect: 'raw',
  async start(_plan: Plan, tally: Tally, shared?: SharedRedis): Promise<Running> {
    if (shared === undefined) throw new Error('a node of a cluster needs a Redis');
    const { url, prefix } = shared;
    const { default: uWS } = await import('uWebSockets.js');
    const { Redis } = await import('ioredis');
    // What is said in one turn of the loop is one write.
    const store = new Redis(url, { enableAutoPipelining: true });
    const subscriber = new Redis(url);
    const members = new Map<string, Set<WebSocket<UserData>>>();
    let count = 0;

    const channelOf = (room: string) => `${prefix}:${room}`;
    const say = (room: string, payload: Payload, from: string) => {
      const frame = JSON.stringify(['message', payload]);
      const channel = channelOf(room);
      void store.xadd(channel, 'MAXLEN', '~', keptPerRoom, '*', 'm', frame);
      void store.publish(channel, `${from} ${frame}`);
    };
    const join = async (room: string, client: WebSocket<UserData>) => {
      const channel = channelOf(room);
      const own = members.get(channel);
      if (own !== undefined) return void own.add(client);
      members.set(channel, new Set([client]));
      await subscriber.subscribe(channel);
    };
    subscriber.on('message', (channel: string, told: string) => {
      const space = told.indexOf(' ');
      const from = told.slice(0, space);
      const frame = told.slice(space + 1);
      for (const client of members.get(channel) ?? []) if (nameOf(client) !== from) client.send(frame);
    });
    const nameOf = (client: WebSocket<UserData>) => `${process.pid}-${client.getUserData().id}`;

    const app = uWS.App().ws<UserData>('/*', {
      upgrade(res, req, context) {
        res.upgrade<UserData>(
          { id: ++count },
          req.getHeader('sec-websocket-key'),
          req.getHeader('sec-websocket-protocol'),
          req.getHeader('sec-websocket-extensions'),
          context,
        );
      },
      open(client) {
        void join(everybody, client);
      },
      message(client, message) {
        tally.handled++;
        const [event, id, first, second] = JSON.parse(Buffer.from(message).toString()) as [
          string,
          number,
          string,
          string,
        ];
        if (event === 'echo') client.send(JSON.stringify([id, first]));
        else if (event === 'say') say(first, second, nameOf(client));
        else void join(first, client).then(() => client.send(JSON.stringify([id, true])));
      },
      close(client) {
        for (const own of members.values()) own.delete(client);
      },
    });
    const port = await new Promise<number>((resolve, reject) => {
      app.listen('127.0.0.1', 0, (socket) => {
        if (socket) resolve(uWS.us_socket_local_port(socket));
        else reject(new Error('cannot listen'));
      });
    });
    return {
      port,
      emit(rooms, payload) {
        for (const room of rooms ?? [everybody]) say(room, payload, '');
      },
    };
  },
};
