// One server of a run, in a process of its own that may be killed or stopped at any moment: an app that says something by itself, and
// does what its clients ask. It writes down what it has seen before anything follows from that.
import { setTimeout as delay } from 'node:timers/promises';
import { redis } from '@halyard/adapter-redis';
import { type Random, seededRandom } from '@halyard/harness/random';
import { type CloseOptions, handleSignals, Server, type Socket } from '@halyard/server';
import { hosts } from '../../kit/hosts';
import { nowMs } from '../client-traffic';
import {
  codecs,
  type Look,
  last,
  type NodeAnswer,
  type NodeData,
  type NodeOrder,
  recoveryWindowMs,
  rooms,
  slowMs,
} from './plan';
import { Book, mail, type NodeRecord, own } from './records';

class App {
  readonly #io: Server;
  readonly #write: Book<NodeRecord>['write'];
  readonly #present = new Map<string, string>();
  #said = 0;
  /** Rooms that are waited for to be stored. */
  readonly #pending = new Set<Promise<void>>();

  constructor(io: Server, write: Book<NodeRecord>['write']) {
    this.#io = io;
    this.#write = write;
    io.on('error', (error, { where }) =>
      write(['breach', `${where}: ${error instanceof Error ? error.stack : error}`]),
    );
    io.on('warning', () => {});
    io.on('connection', (socket) => this.#welcome(socket));
    io.on('session-expired', ({ sockets }) => write(...sockets.map(({ id }) => ['expired', id] as const)));
  }

  #welcome(socket: Socket): void {
    const write = this.#write;
    const { client, rooms: its } = socket.handshake.auth as { client: string; rooms: string[] };
    write(['open', socket.id, client, socket.recovered]);
    this.#present.set(socket.id, client);
    if (!socket.recovered) socket.join(its);
    socket.on('moved', () => {
      write(['moved', socket.id]);
      this.#present.delete(socket.id);
    });
    socket.on('disconnect', ({ code, reason, by }) => {
      write(['over', socket.id, by, `${code} ${reason}`]);
      this.#present.delete(socket.id);
    });
    const handles = (event: string, handle: (number: number, what: string) => unknown) => {
      socket.on(event, (number, what) => {
        write(['begun', client, number, socket.redelivered]);
        const result = handle(number, what);
        const done = () => {
          write(['done', client, number]);
          return number;
        };
        return result instanceof Promise ? result.then(done) : done();
      });
    };
    // The answer, what is said to the client and that the event is settled are of one turn: one commit.
    handles('echo', (number) => socket.emit('say', own, `${number}`));
    handles('say', (number, room) => this.#say(room, `${client}/${number}`));
    handles('order', (number, room) => this.#sayOnce(room, `${client}/${number}`));
    handles('direct', (number, to) => this.#tell(to, `${client}/${number}`));
    handles('slow', () => delay(slowMs));
    handles('join', (_number, room) => socket.join(room));
    handles('leave', (_number, room) => socket.leave(room));
  }

  /** Says something to a room now and then, until it is told to stop. */
  async run(random: Random, everyMs: number, stopped: () => boolean): Promise<void> {
    while (!stopped()) {
      await delay(random.int(2 * everyMs));
      if (stopped()) return;
      if (random.chance(0.5)) this.#say(random.pick(rooms));
      else this.#keep(this.#sayDurably(random.pick(rooms)));
    }
  }

  #keep(promise: Promise<void>): void {
    this.#pending.add(promise);
    void promise.finally(() => this.#pending.delete(promise));
  }

  async settled(): Promise<void> {
    await Promise.all(this.#pending);
  }

  #nextId(): string {
    return `${this.#io.node}#${++this.#said}`;
  }

  /** @param event of a client, for which it is said */
  #say(room: string, event?: string): void {
    const id = this.#nextId();
    this.#write(event === undefined ? ['said', room, id] : ['said', room, id, event]);
    this.#io.to(room).emit('say', room, id);
  }

  async #sayDurably(room: string): Promise<void> {
    const id = this.#nextId();
    this.#write(['said', room, id]);
    await this.#io.to(room).timeout(Infinity).emitDurable('say', room, id);
    this.#write(['stored', id]);
  }

  async #sayOnce(room: string, id: string): Promise<void> {
    this.#write(['said', room, id]);
    await this.#io.to(room).idempotencyKey(id).timeout(Infinity).emitDurable('say', room, id);
    this.#write(['stored', id]);
  }

  async #tell(socket: string, id: string): Promise<void> {
    await this.#io.to(socket).idempotencyKey(id).timeout(Infinity).emitDurable('say', mail, id);
  }

  /** The last word, in each room and to each socket: whoever has had it has had everything. */
  async sayLast(): Promise<void> {
    for (const room of rooms) await this.#sayOnce(room, last);
    for (const { id } of await this.#io.fetchSockets()) await this.#tell(id, last);
  }

  async look(): Promise<Look> {
    const sockets = await this.#io.timeout(2_000).fetchSockets();
    const missing = new Set(sockets.missing);
    const counts: Record<string, number> = {};
    for (const room of rooms) {
      const told = await this.#io.in(room).timeout(2_000).count();
      counts[room] = told.count;
      for (const node of told.missing) missing.add(node);
    }
    return {
      sockets: Object.fromEntries(sockets.map(({ id, rooms: its }) => [id, [...its].filter((room) => room !== id)])),
      missing: [...missing],
      counts,
      present: [...this.#present.keys()],
    };
  }
}

/** Tells how busy the process is: for who reads what was written. */
async function pulse(write: Book<NodeRecord>['write']): Promise<never> {
  for (;;) {
    const [at, used] = [nowMs(), process.cpuUsage()];
    await delay(1_000);
    const { user, system } = process.cpuUsage(used);
    write(['pulse', nowMs(), Math.round(nowMs() - at - 1_000), Math.round((user + system) / 1_000)]);
  }
}

async function main({ redis: url, file, seed, heartbeatMs, sayMs, drainMs }: NodeData): Promise<void> {
  const book = new Book<NodeRecord>(file);
  const [, host] = hosts[0] ?? [];
  if (host === undefined) throw new Error('there is no host');
  const io = new Server({
    host: host(),
    adapter: redis({ url }),
    codecs: codecs.map((codec) => codec()),
    heartbeatMs,
    heartbeatTimeoutMs: heartbeatMs,
    // Nothing is given up for want of room or time: whatever is missing is a fault.
    recoveryWindowMs,
    ackTimeoutMs: 600_000,
    logPacketsMax: 1 << 16,
    logBytesMax: 1 << 24,
  });
  const app = new App(io, book.write);
  const tell = (message: NodeAnswer): void => void process.send?.(message);
  let stopped = false;
  const random = seededRandom(seed);
  process.on('disconnect', () => process.exit(1));
  process.on('unhandledRejection', (error) => book.write(['breach', `unhandled: ${String(error)}`]));
  process.on('message', async (order: NodeOrder) => {
    if (order === 'begin') void app.run(random, sayMs, () => stopped);
    if (order === 'stop') stopped = true;
    if (order === 'stop') await app.settled();
    if (order === 'last') await app.sayLast();
    if (order === 'end') {
      await io.close();
      book.write(['end']);
    }
    tell({ answer: order === 'look' ? await app.look() : null });
    if (order === 'end') process.exit(0);
  });
  const close = async (options: CloseOptions): Promise<void> => {
    stopped = true;
    await app.settled();
    await io.close(options);
  };
  handleSignals({ close }, { drainMs, afterwards: () => book.write(['end']) });
  void pulse(book.write);
  await io.listen(0, '127.0.0.1');
  book.write(['up', io.node, nowMs()]);
  tell({ up: io.port, node: io.node });
}

await main(JSON.parse(process.argv[2] ?? '') as NodeData);
