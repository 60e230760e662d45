// The kit on this project's own ends: both pass; by `npm run test:long` on both hosts. And it finds out who breaks a rule: single faults in the real code
// fail the cases that are about them.
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { node, Server } from '@halyard/server';
import { beforeAll, describe, expect, test } from 'vitest';
import { buildOf, output, runFile } from '../kit/built';
import { hosts } from '../kit/hosts';
import { isLong } from '../kit/long';
import { buildWith, type Fault } from '../kit/mutant';
import { readCases } from './case';

const root = fileURLToPath(new URL('../..', import.meta.url));
const here = 'test/conformance-kit';
const read = (path: string): string => readFileSync(`${root}/${path}`, 'utf8');
const cases = (['server', 'client'] as const).flatMap((subject) =>
  readCases(`${root}/${here}/cases/${subject}`, subject),
);

/** A fault, and the case that finds it. */
type Found = Fault & { readonly found: string };

const faults: readonly Found[] = [
  {
    fault: 'a server counts on from what it has handled, whatever the client says',
    file: 'packages/protocol/src/stream/server-machine.ts',
    code: 'this.incoming = confirmed;',
    instead: 'this.incoming = this.received;',
    found: 'what-comes-again-is-handled-once',
  },
  {
    fault: 'a server takes acknowledgements in any order',
    file: 'packages/protocol/src/stream/server-machine.ts',
    code: 'if (packet.ack <= this.#askedFor)',
    instead: 'if (packet.ack <= 0)',
    found: 'acks-that-repeat-or-fall',
  },
  {
    fault: 'a server takes a HELLO that was overtaken',
    file: 'packages/server/src/session/session.ts',
    code: 'return generation !== 0 && generation <= this.#generation;',
    instead: 'return generation < 0;',
    found: 'a-hello-that-was-overtaken',
  },
  {
    fault: 'a server handles a body again',
    file: 'packages/server/src/wire/http/http-connection.ts',
    code: 'if (number >= 1 && number <= this.#bodies) {',
    instead: 'if (number >= 1 && number < this.#bodies) {',
    found: 'a-body-that-comes-again',
  },
  {
    fault: 'a server answers any number of PINGs before HELLO',
    file: 'packages/server/src/session/greeting.ts',
    code: '++this.#pings <= packetLimits.helloPingsMax',
    instead: '++this.#pings > 0',
    found: 'proofs-too-many',
  },
  {
    fault: 'a client sends nothing again',
    file: 'packages/protocol/src/stream/client-outbox.ts',
    code: 'carried = outbox.confirmed;\n',
    instead: 'carried = left;\n',
    found: 'everything-that-is-not-confirmed-comes-again',
  },
  {
    fault: 'a client knows no window',
    file: 'packages/protocol/src/stream/client-outbox.ts',
    code: 'if ((flying || !outbox.window.frameBytesMax) && !fits && carried >= left) return undefined;',
    instead: 'if (fits === undefined) return undefined;',
    found: 'the-window-before-welcome',
  },
  {
    fault: 'a client hands messages on that come twice',
    file: 'packages/client/src/session/positions.ts',
    code: 'if (reached !== undefined && offset <= reached) return false;',
    instead: 'if (reached === -1) return false;',
    found: 'messages-that-come-twice',
  },
  {
    fault: 'a client begins its generations again',
    file: 'packages/client/src/session/session.ts',
    code: 'generation: ++generation,',
    instead: 'generation: generation + 1,',
    found: 'a-welcome-that-was-lost',
  },
  {
    fault: 'a client takes an answer that has overtaken another',
    file: 'packages/client/src/link/http.ts',
    code: "if (method === 'GET' && number > received + 1) await posting;",
    instead: "if (method === 'PUT') await posting;",
    found: 'an-answer-that-overtakes',
  },
  {
    fault: 'a server gives the bodies of a stream numbers of polling',
    file: 'packages/server/src/wire/http/stream.ts',
    code: 'if (received === 0) return true;',
    instead: 'if (received >= 0) return true;',
    found: 'a-stream-has-no-numbers',
  },
  {
    fault: 'a client renews with what it had before',
    file: 'packages/client/src/session/session.ts',
    code: 'const settle = renewal(presence);\n    ask(presence)',
    instead: 'const settle = renewal(presence);\n    Promise.resolve()',
    found: 'what-ends-is-renewed-in-time',
  },
  {
    fault: 'a client stays with a server that is about to go',
    file: 'packages/client/src/session/session.ts',
    code: 'else if (type === PacketType.Drain) onDrain(packet.afterMs, packet.url);',
    instead: '',
    found: 'a-server-that-is-about-to-go',
  },
];

beforeAll(() => buildOf(here));

describe.each(isLong ? hosts : hosts.slice(0, 1))('on %s', (name) => {
  test('our server and our client pass', async () => {
    // Codecs do not know of hosts.
    const over = name === 'uws' ? [] : ['--over', 'json'];
    const args = ['--ours', '--host', name, '--quiet', '--within', '20000', ...over];
    const { stdout } = await output(`${here}/dist/kit/run.js`, args);
    expect(stdout).toMatch(/^(\d{3,}) passed, 0 failed, \d+ skipped\n$/);
  });
});

test.each(isLong ? faults : faults.slice(3, 6))('$fault: $found fails', async ({ found, ...fault }) => {
  const outDir = `${here}/dist/${found}`;
  await buildWith(fault, { root, config: `${here}/tsup.config.ts`, outDir });
  const args = ['--ours', '--host', 'node', '--only', found, '--over', 'json', '--quiet', '--within', '3000'];
  const { stdout } = await output(`${outDir}/run.js`, args);
  expect(stdout).toContain(`FAILED   ${found} `);
});

test.each([
  [[], 'one of URL'],
  [['ftp://example.com'], 'URL is the path of a server'],
  [['http://localhost:1/halyard', '--ours'], 'one of URL'],
  [['--serve', 'x'], '--serve takes a whole number from 0 to 65535'],
  [['--ours', '--over', 'pigeon'], '--over takes websocket, sse, polling'],
  [['--ours', '--patience', '-1'], '--patience'],
  [['--what'], "Unknown option '--what'"],
])('%j is answered with what is wrong', async (args, text) => {
  const error = await runFile('node', [`${here}/dist/kit/run.js`, ...args], { cwd: root }).catch((thrown) => thrown);
  expect(error.code).toBe(2);
  expect(error.stderr).toContain(text);
  expect(error.stderr).toContain('npm run conformance');
});

test('a server that is not there, and a client that does not start, are failures', async () => {
  for (const args of [['http://127.0.0.1:1/halyard'], ['--client', 'false']]) {
    const error = await runFile('node', [`${here}/dist/kit/run.js`, ...args], { cwd: root }).catch((thrown) => thrown);
    expect(error.code).toBe(1);
    expect(error.stderr).not.toBe('');
  }
});

test('a server without the app of the cases is told what it lacks, and not that a hundred of them fail', async () => {
  const io = new Server({ host: node() });
  await io.listen(0, '127.0.0.1');
  try {
    const url = `http://127.0.0.1:${io.port}/halyard`;
    const error = await runFile('node', [`${here}/dist/kit/run.js`, url], { cwd: root }).catch((thrown) => thrown);
    expect(error.code).toBe(1);
    expect(error.stdout).toBe('');
    expect(error.stderr).toContain('does not answer echo("here")');
    expect(error.stderr).toContain('docs/CONFORMANCE.md');
  } finally {
    await io.close();
  }
});

test('every numbered MUST is in a case, or it is said why it cannot be', () => {
  const rules = [...read('docs/PROTOCOL.md').matchAll(/^ *- \*\*([RP]\d+)\*\*/gm)].map(([, rule]) => rule);
  const unseen = [...read('docs/CONFORMANCE.md').matchAll(/^- \*\*([RP]\d+)\*\*/gm)].map(([, rule]) => rule);
  const cited = new Set(cases.flatMap(({ cites }) => cites));
  expect(rules.length).toBeGreaterThan(20);
  expect(rules.filter((rule) => !cited.has(rule as string))).toEqual(unseen);
});

test('what a case cites is there', () => {
  const protocol = read('docs/PROTOCOL.md');
  for (const cite of new Set(cases.flatMap(({ cites }) => cites))) {
    const [section, item] = cite.slice(1).split('.');
    const place = cite.startsWith('§') ? (item === undefined ? `\n## ${section}. ` : `\n${item}. **`) : `- **${cite}**`;
    expect(protocol, cite).toContain(place);
  }
});
