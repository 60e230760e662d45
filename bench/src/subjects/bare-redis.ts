// uWebSockets.js and ioredis by hand: the least that a message takes which Redis keeps before another server gets it, and of which it knows
// that it was handled. It has no sessions, nobody is told what is stored, and who was away gets nothing.

import type { WebSocket } from 'uWebSockets.js';
import type { Redis } from 'ioredis';
import type { SharedRedis } from '../contract/operations';
import type { Payload, Plan } from '../contract/plan';
import type { Running, Subject, Tally } from './subject';

interface UserData {
  readonly id: number;
}

const everybody = 'all';
const keptPerRoom = 512;

/** Keys: the room's stream and channel, what is known of the sender, what is known of the server. Arguments: frame, number, what is told. */
const sayScript = `
redis.call('XADD', KEYS[1], 'MAXLEN', '~', ${keptPerRoom}, '*', 'm', ARGV[1])
redis.call('HSET', KEYS[2], 'handled', ARGV[2])
redis.call('HSET', KEYS[3], 'number', ARGV[2])
redis.call('PUBLISH', KEYS[1], ARGV[3])
`;

type WithSay = Redis & { say(...what: (string | number)[]): Promise<unknown> };

export const bareRedis: Subject = {
  name: 'bare-redis',
  title: 'uWebSockets.js and ioredis by hand, a script for each message: kept in a stream of its room, and counted',
  dialect: 'raw',
  async start(_plan: Plan, tally: Tally, shared?: SharedRedis): Promise<Running> {
    if (shared === undefined) throw new Error('a node of a cluster needs a Redis');
    const { url, prefix } = shared;
    const { default: uWS } = await import('uWebSockets.js');
    const { Redis: Client } = await import('ioredis');
    // What is said in one turn of the loop is one write.
    const store = new Client(url, { enableAutoPipelining: true }) as WithSay;
    store.defineCommand('say', { numberOfKeys: 3, lua: sayScript });
    const subscriber = new Client(url);
    const members = new Map<string, Set<WebSocket<UserData>>>();
    let count = 0;
    let said = 0;

    const channelOf = (room: string) => `${prefix}:${room}`;
    const say = (room: string, payload: Payload, from: string) => {
      const frame = JSON.stringify(['message', payload]);
      const channel = channelOf(room);
      const keys = [channel, `${prefix}:session:${from}`, `${prefix}:server:${process.pid}`];
      void store.say(...keys, frame, ++said, `${from} ${frame}`);
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
