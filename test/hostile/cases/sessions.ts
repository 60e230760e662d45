// Sessions of others, and games with one's own: secrets that are guessed, counts, tokens and generations that cannot be.
import type { Attacker } from '../attacker';
import { type Case, everyWay } from '../case';
import type { Key, Line, Packet } from '../line';

const isWelcome = ([type]: Packet): boolean => type === 1;

function resume({ session, secret }: Key, received: number, confirmed = 0, generation = 0): string {
  return JSON.stringify([0, [], '', [session, secret, received, confirmed], null, generation]);
}

/** What WELCOME says of a resume. */
function outcome(welcome: Packet): string {
  return welcome[5] === true ? 'recovered' : `refused: ${welcome[6]}`;
}

/** The owner is asked for an echo. */
async function isThere(owner: Line): Promise<string> {
  owner.send('[2,"/","echo",["mine"],9007199254740991]');
  const reply = await owner.packet(([type, ack]) => type === 3 && ack === 9_007_199_254_740_991);
  return JSON.stringify(reply[2]);
}

/** Tries to go on with a session of somebody else, who must not notice. */
function steals(name: string, key: (owner: Key) => readonly [session: string, secret: string], sees: string): Case {
  return {
    name,
    over: everyWay,
    sees: `${sees}, "mine"`,
    async play(attacker) {
      const owner = await attacker.line();
      const [session, secret] = key(await owner.hello());
      const thief = await attacker.line();
      thief.send(JSON.stringify([0, [['/']], '', [session, secret, 0, 0]]));
      const welcome = await thief.packet(isWelcome);
      return `${outcome(welcome)}, ${await isThere(owner)}`;
    },
  };
}

/** Resumes with counts that cannot be: the new connection is closed, and the owner must not notice. */
function miscounts(name: string, hello: (owner: Key) => string, sees: string): Case {
  return {
    name,
    over: everyWay,
    sees: `${sees}, "mine"`,
    async play(attacker) {
      const owner = await attacker.line();
      const key = await owner.hello();
      const other = await attacker.line();
      other.send(hello(key));
      const close = (await other.close()).split(':')[0];
      return `${close}, ${await isThere(owner)}`;
    },
  };
}

async function lines(attacker: Attacker, count: number): Promise<Line[]> {
  const all: Line[] = [];
  for (let i = 0; i < count; i++) all.push(await attacker.line());
  return all;
}

export const sessions: readonly Case[] = [
  steals(
    'a secret that is guessed',
    ({ session, secret }) => [session, `${secret.slice(0, -1)}${secret.endsWith('A') ? 'B' : 'A'}`],
    'refused: unknown-session',
  ),
  steals('a secret of one letter', ({ session }) => [session, 'x'], 'refused: unknown-session'),
  steals(
    'a secret of other letters',
    ({ session, secret }) => [session, 'é'.repeat(secret.length)],
    'refused: unknown-session',
  ),
  steals('id and secret the other way round', ({ session, secret }) => [secret, session], 'refused: unknown-session'),
  steals('the id of the socket for that of the session', ({ id, secret }) => [id, secret], 'refused: unknown-session'),
  steals('names of Object.prototype', () => ['__proto__', 'constructor'], 'refused: unknown-session'),
  miscounts('more received than was sent', (key) => resume(key, 99), '4400 ERR_RESUME_COUNTS'),
  miscounts('more confirmed than was handled', (key) => resume(key, 1, 99), '4400 ERR_RESUME_COUNTS'),
  miscounts(
    'settled that was never handled',
    ({ session, secret }) => JSON.stringify([0, [], '', [session, secret, 1, 0, [], [5, 9]]]),
    '4400 ERR_RESUME_COUNTS',
  ),
  {
    name: '100 secrets that are guessed one after the other',
    over: ['websocket'],
    sees: '100 refused: unknown-session, "mine"',
    async play(attacker) {
      const owner = await attacker.line();
      const { session } = await owner.hello();
      const seen = new Set<string>();
      for (let i = 0; i < 100; i++) {
        const thief = await attacker.line();
        thief.send(JSON.stringify([0, [], '', [session, `${'A'.repeat(20)}${i}`, 0, 0]]));
        seen.add(outcome(await thief.packet(isWelcome)));
        thief.cut();
        // It is there, however long this takes.
        owner.send('[9]');
      }
      return `100 ${[...seen].join(' ')}, ${await isThere(owner)}`;
    },
  },
  {
    name: '20 connections that resume one session at once',
    over: everyWay,
    sees: '1 open, 20 closed: 4409',
    async play(attacker) {
      const owner = await attacker.line();
      const key = await owner.hello();
      const all = [owner, ...(await lines(attacker, 20))];
      for (const line of all.slice(1)) line.send(resume(key, 1));
      const closes = new Set<string>();
      let closed = 0;
      for (const line of all) {
        void line.close().then(
          (close) => {
            closed++;
            closes.add(close.slice(0, 4));
          },
          // The one that is open is not closed.
          () => {},
        );
      }
      const last = await Promise.any(all.slice(1).map(isOpen));
      while (closed < 20) await new Promise((resolve) => setTimeout(resolve, 5));
      return `${last}, ${closed} closed: ${[...closes].join(' ')}`;
    },
  },
  {
    name: 'a session that is resumed 50 times in a row',
    over: everyWay,
    sees: '50 recovered, "mine"',
    async play(attacker) {
      let line = await attacker.line();
      const key = await line.hello();
      let recovered = 0;
      for (let i = 0; i < 50; i++) {
        line = await attacker.line();
        line.send(resume(key, 1));
        if ((await line.packet(isWelcome))[5] === true) recovered++;
      }
      return `${recovered} recovered, ${await isThere(line)}`;
    },
  },
  {
    name: 'a generation that was overtaken',
    over: everyWay,
    sees: '4409, "mine"',
    async play(attacker) {
      const first = await attacker.line();
      const key = await first.hello();
      const second = await attacker.line();
      second.send(resume(key, 1, 0, 9_007_199_254_740_991));
      await second.packet(isWelcome);
      const third = await attacker.line();
      third.send(resume(key, 1, 0, 5));
      return `${(await third.close()).slice(0, 4)}, ${await isThere(second)}`;
    },
  },
  {
    name: 'a token that is said again by somebody else when its session is known',
    over: everyWay,
    sees: 'another session, "mine"',
    async play(attacker) {
      const token = `a token that nobody guesses ${Math.random()}`;
      const hello = JSON.stringify([0, [['/']], '', null, token]);
      const first = await attacker.line();
      const key = await first.hello(hello);
      const owner = await attacker.line();
      owner.send(resume(key, 1));
      await owner.packet(isWelcome);
      const other = await attacker.line();
      other.send(hello);
      const welcome = await other.packet(isWelcome);
      return `${welcome[1] === key.session ? 'the same' : 'another'} session, ${await isThere(owner)}`;
    },
  },
  {
    name: 'a token that two say at once is one session',
    over: everyWay,
    sees: '4409',
    async play(attacker) {
      const hello = JSON.stringify([0, [['/']], '', null, `a token that two have ${Math.random()}`]);
      const both = await lines(attacker, 2);
      for (const line of both) line.send(hello);
      return (await Promise.race(both.map((line) => line.close()))).slice(0, 4);
    },
  },
  {
    name: 'a flight behind a resume that is refused is not handled',
    over: everyWay,
    sees: '"still here"',
    async play(attacker) {
      const line = await attacker.line();
      line.send(
        '[0,[["/"]],"",["none","secret",0,0]]',
        '[2,"/","echo",["lost"],1]',
        '[99]',
        '[14]',
        '[2,"/","echo",["still here"],2]',
      );
      return JSON.stringify((await line.packet(([type]) => type === 3))[2]);
    },
  },
  {
    name: 'HELLO that names 8,192 logs',
    over: everyWay,
    sees: 'refused: unknown-session',
    async play(attacker) {
      const line = await attacker.line();
      const positions = Array.from({ length: 8_192 }, (_none, i) => [`${i}`, 1]).flat();
      line.send(JSON.stringify([0, [['/']], '', ['none', 'secret', 0, 0, positions]]));
      return outcome(await line.packet(isWelcome));
    },
  },
  {
    name: '100 sessions that are left without a word',
    over: everyWay,
    sees: '100 sessions',
    async play(attacker) {
      const seen = new Set<string>();
      for (let i = 0; i < 100; i++) {
        const line = await attacker.line();
        seen.add((await line.hello()).session);
        line.cut();
      }
      return `${seen.size} sessions`;
    },
  },
];

async function isOpen(line: Line): Promise<string> {
  await isThere(line);
  return '1 open';
}
