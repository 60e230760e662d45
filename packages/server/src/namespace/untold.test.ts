import { VirtualClock } from '@halyard/harness/clock';
import { LocalUsageError, type Value } from '@halyard/protocol';
import { describe, expect, test } from 'vitest';
import { againMs, goneMsMax, Untold, untoldMax } from './untold';

/** Servers of which some answer. */
function scene() {
  const clock = new VirtualClock();
  const nodes = new Set(['me', 'a', 'b']);
  const deaf = new Set<string>();
  const heard: string[] = [];
  let code = 'ERR_REQUEST_TIMEOUT';
  const untold = new Untold({
    kind: 'taken',
    ackTimeoutMs: 500,
    now: () => clock.now(),
    later: (delayMs, run) => void clock.after(delayMs, run),
    inbox: {
      get nodes() {
        return [...nodes];
      },
      async ask(node: string, _kind: string, value: Value) {
        heard.push(`${node} ${(value as string[]).join()}`);
        if (deaf.has(node)) throw new LocalUsageError(code, 'nobody answers');
        return [];
      },
    },
  });
  const advance = async (ms: number): Promise<void> => {
    clock.advance(ms);
    await new Promise(setImmediate);
  };
  return {
    ...{ untold, nodes, deaf, heard, advance },
    closes: () => {
      code = 'ERR_INBOX_CLOSED';
    },
  };
}

describe('who has not answered', () => {
  test('is told again until it does, and then no more', async () => {
    const { untold, deaf, heard, advance } = scene();
    deaf.add('a');
    untold.add(['a'], 'one');
    untold.add(['a'], 'two');
    await advance(0);
    expect(heard).toEqual(['a one']);
    await advance(againMs);
    deaf.delete('a');
    await advance(againMs);
    await advance(10 * againMs);
    expect(heard).toEqual(['a one', 'a one,two', 'a one,two']);
  });

  test('is told when it is there again, if it was gone, and nobody else is', async () => {
    const { untold, nodes, heard, advance } = scene();
    nodes.delete('a');
    untold.left('a');
    untold.add([], 'one');
    await advance(10 * againMs);
    expect(heard).toEqual([]);
    nodes.add('a');
    untold.joined('a');
    untold.joined('b');
    await advance(0);
    expect(heard).toEqual(['a one']);
  });

  test('is forgotten when it does not come back, and so is who was never there', async () => {
    const { untold, nodes, heard, advance } = scene();
    nodes.delete('a');
    untold.left('a');
    untold.add(['stranger'], 'one');
    await advance(goneMsMax + 1);
    untold.left('b');
    for (const node of ['a', 'stranger']) {
      nodes.add(node);
      untold.joined(node);
    }
    await advance(0);
    expect(heard).toEqual([]);
  });

  test('has the newest kept for it', async () => {
    const { untold, nodes, heard, advance } = scene();
    nodes.delete('a');
    untold.left('a');
    for (let i = 0; i <= untoldMax; i++) untold.add([], `${i}`);
    nodes.add('a');
    untold.joined('a');
    await advance(0);
    expect(heard[0]?.split(',')).toHaveLength(untoldMax);
    expect(heard[0]).toMatch(/^a 1,2,.*,4096$/);
  });

  test('is not told any more by a server that is closed', async () => {
    const { untold, deaf, heard, advance, closes } = scene();
    closes();
    deaf.add('a');
    untold.add(['a'], 'one');
    await advance(0);
    await advance(10 * againMs);
    expect(heard).toEqual(['a one']);
  });
});
