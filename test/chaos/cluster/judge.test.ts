// The judge is what a run stands on: fed with books that are wrong, it finds what is wrong with them.
import { describe, expect, test } from 'vitest';
import { booksOf } from './books';
import { judge } from './judge';
import { type Look, setupOf } from './plan';
import type { ClientRecord, NodeRecord } from './records';

/** Two of the same rooms, and what is said in one of them. */
const [ann, ben] = ['c0', 'c40'] as const;
const room = setupOf(0).rooms[0] as string;
const its = setupOf(0).rooms;

/** Books of two clients who have had everything, at a server that was not killed. */
function written() {
  const node: NodeRecord[] = [
    ['up', 'N', 0],
    ['open', 'ann', ann, false],
    ['open', 'ben', ben, false],
    ['said', room, 'N#1'],
    ['said', room, 'c0/1'],
    ['begun', ann, 1, false],
    ['stored', 'c0/1'],
    ['done', ann, 1],
    ['begun', ben, 1, false],
    ['done', ben, 1],
    ['begun', ben, 2, false],
    ['done', ben, 2],
    ['over', 'ann', 'client', '1000 '],
    ['over', 'ben', 'client', '1000 '],
    ['end'],
  ];
  const clients: ClientRecord[] = [
    ['connected', ann, 'ann', false, undefined, 0],
    ['connected', ben, 'ben', false, undefined, 0],
    ['sent', ann, 1, 'order', room],
    ['got', ann, room, 'N#1'],
    ['got', ben, room, 'N#1'],
    ['got', ann, room, 'c0/1'],
    ['got', ben, room, 'c0/1'],
    ['settled', ann, 1, 'right'],
    ['sent', ben, 1, 'echo', ''],
    ['got', ben, 'own', '1'],
    ['settled', ben, 1, 'right'],
    ['sent', ben, 2, 'direct', 'ann'],
    ['got', ann, 'mail', 'c40/2'],
    ['settled', ben, 2, 'right'],
    ['back', ben, 1, 400],
  ];
  const counts = Object.fromEntries(
    Array.from({ length: 40 }, (_, i) => [`room ${i}`, its.includes(`room ${i}`) ? 2 : 0]),
  );
  const look: Look = { sockets: { ann: its, ben: its }, missing: [], counts, present: ['ann', 'ben'] };
  const gone: Look = { sockets: {}, missing: [], counts: {}, present: [] };
  return { node, clients, look, gone };
}

type Written = ReturnType<typeof written>;

function kinds(change: (books: Written) => void): string[] {
  const all = written();
  change(all);
  const { node, clients, look, gone } = all;
  const options = { timed: new Set([1]), backMsMax: 5_000, returnsMax: 2, atRest: [look], atEnd: [gone] };
  return judge(booksOf([node], [clients]), options).faults.map(({ kind }) => kind);
}

const without =
  <Kind extends 'node' | 'clients'>(where: Kind, text: string) =>
  (books: Written): void => {
    const list: unknown[] = books[where];
    const at = list.findIndex((record) => JSON.stringify(record) === text);
    if (at < 0) throw new Error(`${text} is not there`);
    list.splice(at, 1);
  };

test('both clients are in the same rooms', () => {
  expect(setupOf(40).rooms).toEqual(its);
});

describe('a run', () => {
  test('is well when all has come once, in one order, and everybody has gone', () => {
    expect(kinds(() => {})).toEqual([]);
  });

  test.each<[what: string, kinds: string[], change: (books: Written) => void]>([
    ['one member lacks a message', ['lost'], without('clients', '["got","c40","room 0","N#1"]')],
    [
      'nobody has what was stored',
      ['lost'],
      (books) => {
        without('clients', '["got","c0","room 0","c0/1"]')(books);
        without('clients', '["got","c40","room 0","c0/1"]')(books);
      },
    ],
    ['a message comes twice', ['doubled'], ({ clients }) => clients.push(['got', ann, room, 'N#1'])],
    [
      'two members have another order',
      ['reordered'],
      ({ clients }) => {
        const at = clients.findIndex((record) => record[0] === 'got');
        clients.splice(at, 1);
        clients.push(['got', ann, room, 'N#1']);
      },
    ],
    ['a message comes that nobody has said', ['misdelivered'], without('node', '["said","room 0","N#1"]')],
    ['an answer of one commit with its event is lost', ['lost'], without('clients', '["got","c40","own","1"]')],
    ['what was said to one is lost', ['lost'], without('clients', '["got","c0","mail","c40/2"]')],
    ['an event is not handled', ['lost'], without('node', '["done","c40",1]')],
    ['an event is handled again, and not told so', ['doubled'], ({ node }) => node.unshift(['begun', ben, 1, false])],
    ['an event has no answer', ['unanswered'], without('clients', '["settled","c40",1,"right"]')],
    ['a client is late', ['late'], ({ clients }) => clients.push(['back', ann, 1, 5_001])],
    ['a socket is over twice', ['doubled'], ({ node }) => node.push(['over', 'ann', 'client', '1000 '])],
    ['a socket is never over', ['ghost'], without('node', '["over","ann","client","1000 "]')],
    [
      'a session is ended behind the back of its client',
      ['doubled', 'untold'],
      ({ node }) => node.push(['over', 'ann', 'server', '4410 log-trimmed']),
    ],
    [
      'a session begins anew without a reason',
      ['untold'],
      ({ clients, node, look }) => {
        clients.push(['connected', ann, 'anew', false, undefined, 0]);
        node.push(['open', 'anew', ann, false], ['over', 'anew', 'client', '1000 ']);
        const { ann: _ann, ...sockets } = look.sockets;
        Object.assign(look, { sockets: { ...sockets, anew: its }, present: ['anew', 'ben'] });
      },
    ],
    ['a server lists who is not there', ['ghost'], ({ look }) => Object.assign(look.sockets, { nobody: [] })],
    ['a server has somebody in another room', ['ghost'], ({ look }) => Object.assign(look.sockets, { ann: [] })],
    ['a server counts wrong', ['ghost'], ({ look }) => Object.assign(look.counts, { [room]: 3 })],
    ['two servers have the same', ['ghost'], ({ look }) => Object.assign(look, { present: ['ann', 'ann', 'ben'] })],
    ['somebody is left at the end', ['ghost'], ({ gone }) => Object.assign(gone, { present: ['ann'] })],
    ['a server does not answer', ['broken'], ({ look }) => Object.assign(look, { missing: ['N'] })],
    ['a client is closed for good', ['broken'], ({ clients }) => clients.push(['breach', ann, 'closed for good'])],
  ])('is not when %s', (_what, expected, change) => {
    expect(kinds(change)).toEqual(expected);
  });

  test('may have lost what a killed server had said, for all alike', () => {
    expect(
      kinds(({ node }) => {
        node.push(['said', room, 'M#1']);
        without('node', '["end"]')({ node } as Written);
      }),
    ).toEqual([]);
  });

  test('has run a handler to its end elsewhere that was cut off', () => {
    expect(kinds(({ node }) => node.unshift(['begun', ann, 1, true]))).toEqual([]);
    const cut = (books: Written): void => {
      without('node', '["done","c0",1]')(books);
      without('node', '["end"]')(books);
    };
    expect(kinds(cut)).toEqual(['lost']);
  });
});
