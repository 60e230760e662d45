import { test } from 'vitest';
import { playCluster } from './cluster-play';

test('x', async () => {
  console.warn = () => {};
  try {
    await playCluster({ seed: Number(process.env.SEED), steps: 300, nodes: 3 });
  } catch (e) {
    console.log((e as any).message, (e as any).cause, (e as any).transcript?.slice(-5));
  }
}, 60000);
