import { describe, expect, test } from 'vitest';
import { Members } from './members';
import { pack } from './pieces';

describe('who is there', () => {
  function begun(...nodes: string[]) {
    const told: string[] = [];
    const members = new Members('me', {
      onJoined: (node) => void told.push(`joined ${node}`),
      onLeft: (node) => void told.push(`left ${node}`),
    });
    members.begin(['me', ...nodes], 0);
    return { members, told };
  }

  test('is told by what is said, and by what is listed, once', () => {
    const { members, told } = begun('a');
    members.told(pack(['joined', 'b']), 10)();
    members.told(pack(['joined', 'me']), 10)();
    members.listed(['me', 'a', 'b', 'c'], 2_000);
    members.told(pack(['left', 'b']), 2_100)();
    members.told(pack(['left', 'b']), 2_100)();
    members.listed(['me', 'a', 'c'], 4_000);
    expect(told).toEqual(['joined b', 'joined c', 'left b']);
  });

  test('is not gone for not being listed once, but after six seconds', () => {
    const { members, told } = begun('a');
    for (let now = 2_000; now < 6_000; now += 2_000) members.listed(['me'], now);
    expect(told).toEqual([]);
    members.listed(['me'], 6_000);
    expect(told).toEqual(['left a']);
  });

  test('is not gone because nobody could be heard of: the six seconds are counted anew', () => {
    const { members, told } = begun('a', 'b');
    members.listed(['me', 'a', 'b'], 2_000);
    // A store that is empty, after a while without one.
    members.listed(['me'], 60_000);
    members.listed(['me', 'a'], 62_000);
    members.listed(['me', 'a'], 64_000);
    expect(told).toEqual([]);
    members.listed(['me', 'a'], 66_000);
    expect(told).toEqual(['left b']);
  });
});
