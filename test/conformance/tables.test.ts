// The tables of docs/PROTOCOL.md say what the code says.
import { readFileSync } from 'node:fs';
import { afterClose, CloseCode, defaultSettings, PacketType, packetLimits } from '@halyard/protocol';
import { Server, type ServerOptions } from '@halyard/server';
import { describe, expect, test } from 'vitest';
import { dataLimits } from '../../packages/codec/src/data';
import { checkOptions } from '../../packages/server/src/api/options';

const protocol = readFileSync(new URL('../../docs/PROTOCOL.md', import.meta.url), 'utf8');

/** Rows of the tables whose head begins with these two cells. */
function table(first: string, second: string): string[][] {
  return protocol.split(/\n(?!\|)/).flatMap((block) => {
    const [head = [], , ...rows] = block
      .trim()
      .split('\n')
      .map((row) =>
        row
          .slice(1, -1)
          .split('|')
          .map((cell) => cell.trim()),
      );
    return head[0] === first && head[1] === second ? rows : [];
  });
}

const upper = (name: string): string => name.toUpperCase();

test('packet types', () => {
  const rows = table('type', 'name').map(([type, name]) => [name, Number(type)]);
  expect(rows).toEqual(Object.entries(PacketType).map(([name, type]) => [upper(name), type]));
});

describe('close codes', () => {
  const rows = table('code', 'name');

  test('are all there', () => {
    expect(rows.map(([code, name]) => [name, Number(code)])).toEqual(Object.entries(CloseCode));
  });

  test.each(rows)('%s %s', (code, _name, _meaning, sender, then) => {
    expect(then).toBe(afterClose(Number(code)));
    expect(['client', 'server', 'both', 'nobody']).toContain(sender);
  });

  test('a code that is not there is "resume"', () => {
    expect(afterClose(4999)).toBe('resume');
  });
});

test('limits of version 1', () => {
  const rows = table('limit', 'value').map(([name, value]) => [name, Number(value)]);
  expect(Object.fromEntries(rows)).toEqual({ ...packetLimits, ...dataLimits });
});

describe('settings and options', () => {
  const settings = table('setting', 'default');
  const rows = [...settings, ...table('option', 'default')];
  const defaults = checkOptions({}) as unknown as Record<string, unknown>;

  test('the settings are those of WELCOME, in its order', () => {
    const { sentFrameBytesMax } = defaults;
    const all = { ...defaultSettings, sentFrameBytesMax };
    expect(settings.map(([name, value]) => [name, Number(value)])).toEqual(Object.entries(all));
  });

  test('every option that is a number has a row', () => {
    const numbers = Object.keys(defaults).filter((name) => typeof defaults[name] === 'number');
    expect(rows.map(([name]) => name).toSorted()).toEqual(numbers.toSorted());
  });

  test.each(rows)('%s: %s, from %s', (name = '', value, range = '') => {
    expect(Number(value)).toBe(defaults[name]);
    const [min, max] = range.split('–');
    const make = (): Server => new Server({ [name]: -1 } as ServerOptions);
    expect(make).toThrow(`from ${min} to ${max}.`);
  });
});
