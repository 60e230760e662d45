// The worker that has the session of all tabs is killed, at every step of what it does: another one goes on with the session, and nothing
// is lost or comes twice. A step is a frame to or from the server, or a message to or from a tab. Real tabs: test/e2e/tabs.test.ts.
import { type Socket, type Transport, websocket } from '@halyard/client/core';
import { connectTab } from '@halyard/client/tabs';
import { serveTabs, type TabPort, type Tabs } from '@halyard/client/tabs-worker';
import { Cable } from '@halyard/harness/cable';
import { expect, test } from 'vitest';
import { hosts } from '../kit/hosts';
import { stubLocks } from '../kit/locks';
import { served } from '../kit/served';

const [[, host]] = hosts as [(typeof hosts)[number]];
const { serve, cleanUp } = served(host);

const locks = stubLocks();

/** A worker that is killed before a step: from then on nothing leaves it or comes to it. */
class Mortal {
  readonly #killAt: number;
  readonly #killed: () => void;
  steps = 0;
  isDead = false;

  constructor(killAt: number, killed: () => void) {
    this.#killAt = killAt;
    this.#killed = killed;
  }

  /** @returns whether the step is done */
  step(): boolean {
    if (this.isDead) return false;
    this.isDead = ++this.steps >= this.#killAt;
    if (this.isDead) this.#killed();
    return !this.isDead;
  }

  transport(): Transport {
    return {
      open: (address, events) => {
        const link = websocket().open(address, {
          onOpen: () => this.isDead || events.onOpen(),
          onFrame: (frame) => void (this.step() && events.onFrame(frame)),
          onClose: (close) => this.isDead || events.onClose(close),
        });
        const { send } = link;
        link.send = (frame) => void (this.step() && send.call(link, frame));
        return link;
      },
    };
  }

  port(port: MessagePort): TabPort {
    return {
      postMessage: (message) => void (this.step() && port.postMessage(message)),
      addEventListener: (type, listener) =>
        port.addEventListener(type, (event) => void (this.step() && listener(event))),
      start: () => port.start(),
      close: () => port.close(),
    };
  }
}

const tabsCount = 3;
const rounds = 6;
const turn = () => new Promise((resolve) => setTimeout(resolve, 1));

/**
 * Tabs and the server speak, and have heard in the end what they should have.
 * @param kills before which step the first worker is killed, and the one after it
 * @returns how many steps the last one did
 */
async function play(...kills: number[]): Promise<number> {
  const said: string[] = [];
  const answers: unknown[] = [];
  const ids = new Set<string>();
  const sides = new Set<string>();
  const io = await serve({}, (io) => {
    io.on('connection', (socket) => {
      ids.add(socket.id);
      socket.on('say', (tab: number, number: number) => void said.push(`${tab} ${number}`));
      socket.on('ask', (tab: number, number: number) => {
        said.push(`${tab} ${number}?`);
        return `${tab} ${number}!`;
      });
    });
    io.of('/side').on('connection', (socket) => {
      sides.add(socket.id);
      socket.on('say', (number: number) => void said.push(`side ${number}`));
    });
  });
  const cable = await Cable.open(io.port as number);
  cleanUp.push(() => cable.close());
  let mortal!: Mortal;
  let worker: Tabs | undefined;
  let workers = 0;
  let lock = '';
  let closing: MessagePort[] = [];
  const killed = () => {
    worker = undefined;
    // What it has sent just now arrives, or does not.
    if (kills[workers - 1]! % 2) cable.cut();
    const name = lock;
    const ports = closing;
    closing = [];
    // What it has said is on its way still.
    setTimeout(() => {
      cable.cut();
      for (const port of ports) port.close();
      locks.free(name);
    }, 5);
  };
  const openWorker = () => {
    if (!worker) {
      mortal = new Mortal(kills[workers++] ?? Infinity, killed);
      worker = serveTabs(cable.url, { transports: [mortal.transport()], reconnect: { delayMinMs: 1, delayMaxMs: 5 } });
      lock = locks.names().at(-1) as string;
    }
    const { port1, port2 } = new MessageChannel();
    closing.push(port2);
    worker.accept(mortal.port(port2));
    cleanUp.push(() => port1.close());
    return { port: port1 };
  };
  const told: string[][] = [];
  const hear = (socket: Socket) => {
    const its: string[] = [];
    told.push(its);
    socket.on('connect', ({ recovered }) => its.push(`connect ${recovered}`));
    socket.on('disconnect', ({ reason }) => its.push(`disconnect ${reason}`));
    socket.on('error', (error) => its.push(`error ${(error as Error).message}`));
  };
  const heard: (readonly [all: number[], one: number[]])[] = [];
  const tabs = Array.from({ length: tabsCount }, (_, i): Socket => {
    const socket = connectTab(openWorker, { ackTimeoutMs: 20_000 });
    cleanUp.push(() => socket.connection.close());
    hear(socket);
    const [all, one]: [number[], number[]] = [[], []];
    heard.push([all, one]);
    socket.on('all', (number: number) => void all.push(number));
    socket.on('one', (number: number) => void one.push(number));
    if (i === 1) socket.on('question', async (number: number) => number * 2);
    return socket;
  });
  await expect.poll(() => tabs.every(({ connected }) => connected), { timeout: 8_000 }).toBe(true);
  const [server] = io.sockets.values();

  let side: Socket | undefined;
  const replies: Promise<unknown>[] = [];
  for (let round = 0; round < rounds; round++) {
    // Not always in the order in which they come to another worker.
    const order = [...tabs.keys()];
    for (const i of round % 2 ? order.toReversed() : order) {
      tabs[i]!.emit('say', i, round);
      replies.push(tabs[i]!.emitWithAck('ask', i, round));
    }
    // Of a namespace that nobody was in before.
    side ??= round === 2 ? tabs[0]!.of('/side') : undefined;
    if (round === 2) hear(side!);
    side?.emit('say', round);
    io.emit('all', round);
    server!.emit('one', round);
    const question = server!.timeout(20_000).emitWithAck('question', round);
    question.then(
      (value) => answers.push(value),
      (error) => answers.push(error),
    );
    await turn();
  }
  const numbers = Array.from({ length: rounds }, (_, i) => i);
  const wants = [
    ...tabs.map((_, i) => numbers.flatMap((number) => [`${i} ${number}`, `${i} ${number}?`])),
    numbers.slice(2).map((number) => `side ${number}`),
  ];
  const got = () => [...tabs.keys(), 'side'].map((who) => said.filter((one) => one.startsWith(`${who} `)));
  const timeout = { timeout: 8_000 };
  await expect.poll(got, timeout).toEqual(wants);
  await expect.poll(() => heard, timeout).toEqual(tabs.map(() => [numbers, numbers]));
  const all = numbers.flatMap((number) => tabs.map((_, i) => `${i} ${number}!`));
  expect((await Promise.all(replies)).toSorted()).toEqual(all.toSorted());
  await expect.poll(() => answers.toSorted(), timeout).toEqual(numbers.map((number) => number * 2).toSorted());
  await expect.poll(() => [...tabs, side!].every(({ connected }) => connected), timeout).toBe(true);
  // Nothing comes late.
  await Promise.all(tabs.map((tab) => tab.emitWithAck('ask', 9, 9)));
  // It may have been killed just then.
  await expect.poll(() => [...tabs, side!].every(({ connected }) => connected), timeout).toBe(true);
  expect(got()).toEqual(wants);
  expect(heard).toEqual(tabs.map(() => [numbers, numbers]));
  expect([ids.size, sides.size]).toEqual([1, 1]);
  for (const [first, ...others] of told) {
    expect(first).toBe('connect false');
    const again = [...Array(others.length / 2)].flatMap(() => ['disconnect the worker is gone', 'connect true']);
    expect(others).toEqual(again);
  }
  const { steps } = mortal;
  for (const tab of tabs) tab.connection.close();
  return steps;
}

test('a worker that is killed at any step takes nothing with it', { timeout: 120_000 }, async () => {
  const steps = await play(Infinity);
  expect(steps).toBeGreaterThan(150);
  // More of them by hand: see docs/RELIABILITY.md.
  const { HALYARD_KILLS } = process.env;
  const some = Number(HALYARD_KILLS ?? 60);
  const all = Array.from({ length: some }, (_, i) => [
    // Once all tabs are told that there is a session.
    45 + Math.floor(((i + Math.random()) * (steps - 45)) / some),
    i % 3 ? Infinity : 12 + Math.floor(Math.random() * steps),
  ]);
  console.info(`killed before steps ${all.join(' ')}`);
  while (all.length > 0) {
    await Promise.all(
      all.splice(0, 6).map((kills) =>
        play(...kills).catch((error) => {
          throw new Error(`killed before steps ${kills}: ${error.message}`, { cause: error });
        }),
      ),
    );
  }
});
