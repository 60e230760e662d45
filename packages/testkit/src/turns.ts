// Turns of the event loop that no fake clock holds up: those of vitest and jest replace `setImmediate` and `queueMicrotask`,
// in `globalThis` and in `node:timers`, before or after this file is loaded. Nobody replaces a MessageChannel.
import { MessageChannel } from 'node:worker_threads';

const { port1: sender, port2: receiver } = new MessageChannel();
const waiting: (() => void)[] = [];

receiver.on('message', () => {
  const run = waiting.shift();
  // Only what waits keeps a program alive.
  if (waiting.length === 0) receiver.unref();
  run?.();
});
receiver.unref();

/** Calls `run` in a later turn, after those that were asked for before, with all promises settled in between. */
export function soon(run: () => void): void {
  if (waiting.push(run) === 1) receiver.ref();
  sender.postMessage(undefined);
}

/** Calls `run` when this call has come to its end, before the next turn. */
export function microtask(run: () => void): void {
  Promise.resolve().then(run);
}

/** More turns than this without an end are taken for something that asks for one again for ever. */
const turnsMax = 100_000;

/**
 * Goes on once every turn that was asked for has been, and those that were asked for meanwhile.
 * @throws Error if that has no end
 */
export async function settled(): Promise<void> {
  for (let turns = 0; ; turns++) {
    if (turns === turnsMax) throw new Error(`${turnsMax} turns of the event loop in a row: does one ask for the next?`);
    await new Promise<void>(soon);
    if (waiting.length === 0) return;
  }
}
