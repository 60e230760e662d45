// uWebSockets.js by hand, as one who knows it would write it for exactly these three events: the baseline.
import type { WebSocket } from 'uWebSockets.js';
import type { Payload, Plan } from '../contract/plan';
import type { Running, Subject, Tally } from './subject';

interface Member {
  readonly client: WebSocket<UserData>;
  readonly rooms: Set<Member>[];
  /** Frames for this turn of the loop. */
  outbox: string[];
}
interface UserData {
  member: Member | undefined;
}

const everybody = 'all';
const backpressureBytesMax = 64 << 20;
const payloadBytesMax = 1 << 20;
const idleTimeoutS = 120;

export const bareUws: Subject = {
  name: 'bare-uws',
  title: 'uWebSockets.js by hand',
  dialect: 'raw',
  async start(plan: Plan, tally: Tally): Promise<Running> {
    const { default: uWS } = await import('uWebSockets.js');
    const rooms = new Map<string, Set<Member>>();
    const app = uWS.App();
    let dirty: Member[] = [];

    /** Sending to another socket is one system call each, so frames wait for the end of the turn and leave corked. */
    const queue = (member: Member, frame: string) => {
      if (member.outbox.push(frame) === 1 && dirty.push(member) === 1) setImmediate(flush);
    };
    const flush = () => {
      const members = dirty;
      dirty = [];
      for (const { client, outbox } of members) {
        if (outbox.length === 1) client.send(outbox[0]!);
        else if (outbox.length > 1) {
          client.cork(() => {
            for (const frame of outbox) client.send(frame);
          });
        }
        outbox.length = 0;
      }
    };
    const delivery = (payload: Payload) => JSON.stringify(['message', payload]);

    app.ws<UserData>('/*', {
      maxPayloadLength: payloadBytesMax,
      maxBackpressure: backpressureBytesMax,
      // uWS probes some seconds before its timeout, which may not be under 8 s.
      idleTimeout: plan.heartbeatMs === undefined ? idleTimeoutS : Math.max(8, Math.ceil(plan.heartbeatMs / 1_000)),
      upgrade(res, req, context) {
        res.upgrade<UserData>(
          { member: undefined },
          req.getHeader('sec-websocket-key'),
          req.getHeader('sec-websocket-protocol'),
          req.getHeader('sec-websocket-extensions'),
          context,
        );
      },
      open(client) {
        client.subscribe(everybody);
      },
      message(client, message, isBinary) {
        tally.handled++;
        if (isBinary) {
          client.send(message, true);
          return;
        }
        const [event, id, first, second] = JSON.parse(Buffer.from(message).toString()) as [
          string,
          number,
          string,
          string,
        ];
        switch (event) {
          case 'echo':
            client.send(JSON.stringify([id, first]));
            break;
          case 'say': {
            const sender = client.getUserData().member;
            const frame = delivery(second);
            for (const member of rooms.get(first) ?? []) if (member !== sender) queue(member, frame);
            break;
          }
          case 'join': {
            const data = client.getUserData();
            data.member ??= { client, rooms: [], outbox: [] };
            const members = rooms.get(first) ?? new Set<Member>();
            rooms.set(first, members.add(data.member));
            data.member.rooms.push(members);
            client.subscribe(first);
            client.send(JSON.stringify([id, true]));
            break;
          }
        }
      },
      close(client) {
        const { member } = client.getUserData();
        if (member === undefined) return;
        member.outbox.length = 0;
        for (const members of member.rooms) members.delete(member);
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
      emit(targets, payload) {
        const frame = delivery(payload);
        const [only] = targets ?? [everybody];
        if (targets === undefined || targets.length === 1) app.publish(only ?? everybody, frame);
        else {
          const members = new Set<Member>();
          for (const room of targets) for (const member of rooms.get(room) ?? []) members.add(member);
          for (const member of members) queue(member, frame);
        }
      },
    };
  },
};
