// How much one answer of polling brings: little at first, so that it comes in time over a slow line, and more over a fast one.
import { VirtualClock } from '@halyard/harness/clock';
import { Server } from '@halyard/server';
import { afterEach, describe, expect, test } from 'vitest';
import { hosts } from '../kit/hosts';
import { ServerClock } from '../kit/server-clock';
import { Poller } from './poller';

const frameBytes = 1_024;
/** Frames are a KiB each, and apart by a line feed. */
const kib = (bytes: number): number => (bytes + 1) / (frameBytes + 1);

describe.each(hosts)('pages on %s', (_name, host) => {
  const open: Server[] = [];
  afterEach(async () => {
    for (const io of open.splice(0)) await io.close();
  });

  /** A client for whom so many KiB wait, and a way to let time pass between polls. */
  async function waiting(count: number) {
    const clock = new VirtualClock();
    const io = new Server({
      ...{ host: host(), clock: new ServerClock(clock), heartbeatMs: 600_000, recoveryWindowMs: 600_000 },
      backpressureBytesMax: 1 << 24,
    });
    open.push(await io.listen(0, '127.0.0.1'));
    const poller = await Poller.open(io.port);
    await poller.send([0]);
    await poller.packet(11);
    const [socket] = io.sockets.values();
    const text = 'x'.repeat(frameBytes - '[2,"/","page",[""]]'.length);
    for (let i = 0; i < count; i++) socket!.emit('page', text);
    /** @returns KiB of the answers to so many polls, each of which takes so long */
    const pages = async (polls: number, tookMs = 0) => {
      const sizes: number[] = [];
      for (let i = 0; i < polls; i++) {
        sizes.push(kib((await poller.poll()).body.length));
        clock.advance(tookMs);
      }
      return sizes;
    };
    return { poller, pages };
  }

  test('each is twice as large as the one before while they come soon, up to 1 MiB', async () => {
    const { pages } = await waiting(4_096);
    expect(await pages(9)).toEqual([16, 32, 64, 128, 256, 512, 1_024, 1_024, 1_024]);
  });

  test('they are as small as at first, and get no larger, while they take long', async () => {
    const { pages } = await waiting(64);
    expect(await pages(4, 8_000)).toEqual([16, 16, 16, 16]);
  });

  test('they shrink where the line has become slow', async () => {
    const { pages } = await waiting(1_024);
    expect(await pages(4)).toEqual([16, 32, 64, 128]);
    expect(await pages(4, 4_000)).toEqual([256, 128, 64, 32]);
    expect(await pages(3, 2_000)).toEqual([16, 16, 16]);
    expect(await pages(3)).toEqual([16, 32, 64]);
  });

  test('what is said in answer to a body is no more than a page', async () => {
    const { poller } = await waiting(17);
    expect(await poller.send([8])).toMatchObject({ status: 204, body: '' });
    expect(kib((await poller.poll()).body.length)).toBe(16);
    // What is left, and the PONG.
    expect((await poller.send([8])).body).toMatch(/\n\[9.*\n\[9/s);
  });
});
