// Reads the transcripts of docs/PROTOCOL.md §12: fenced blocks in which every line is one numbered step.
//
//   C→S   1  connect halyard.v1+json        a WebSocket handshake, with what it offers
//   S→C   2  connected halyard.v1+json      its answer, with what it names
//   C→S   3  [0]                            a frame
//   S→C   4  lost [3,1]                     a frame that does not reach the client
//   C→S   5  lost                           the connection breaks
//   S→C   6  close 4409 reason              how a WebSocket is closed
//   C→S   7  GET  halyard-ack: 0            a request, its headers, and its body in the lines below
//   S→C   8  204 to 7  name: value          the answer to step 7
//   time  9  1000 ms
//
// A block `wscat` is what a person sees in that tool; the numbers before its lines are ours.

export type Action =
  | { readonly kind: 'connect' | 'connected'; readonly subprotocol: string }
  | { readonly kind: 'frame'; readonly text: string; readonly lost: boolean }
  | { readonly kind: 'lost' }
  | { readonly kind: 'close'; readonly code: number; readonly reason: string }
  | { readonly kind: 'request'; readonly method: string; readonly headers: Headers; readonly body: readonly string[] }
  | {
      readonly kind: 'response';
      readonly status: number;
      readonly to: number;
      readonly headers: Headers;
      readonly body: readonly string[];
    }
  | { readonly kind: 'time'; readonly ms: number };

export type Headers = Readonly<Record<string, string>>;

export interface Step {
  readonly number: number;
  /** Names the client and its connection; empty for time. */
  readonly client: string;
  readonly by: 'client' | 'server' | 'time';
  readonly action: Action;
}

export interface Transcript {
  readonly name: string;
  /** Of a server on a store that others share. */
  readonly shared: boolean;
  readonly steps: readonly Step[];
}

interface Block {
  readonly info: string;
  readonly lines: readonly string[];
}

/** @returns every transcript of a document. @throws Error that quotes the line that is not one */
export function readTranscripts(markdown: string): Transcript[] {
  return blocksOf(markdown).flatMap(({ info, lines }) => {
    const [language, name = '', shared] = info.split(' ');
    if (language !== 'transcript' && language !== 'wscat') return [];
    const steps = language === 'wscat' ? lines.map(typed) : withBodies(lines).map(step);
    steps.forEach(({ number }, i) => {
      if (number !== i + 1) throw new Error(`${name}: step ${number} where ${i + 1} should be`);
    });
    return [{ name, steps, shared: shared === 'shared' }];
  });
}

/** @returns the text of the fenced blocks with this info string */
export function readBlocks(markdown: string, info: string): string[] {
  return blocksOf(markdown)
    .filter((block) => block.info === info)
    .map(({ lines }) => lines.join('\n'));
}

function blocksOf(markdown: string): Block[] {
  return [...markdown.matchAll(/^```(\S.*)\n([\s\S]*?)^```$/gm)].map(([, info = '', text = '']) => ({
    info,
    lines: text.split('\n').filter((line) => line.trim() !== ''),
  }));
}

/** Joins a step and the indented lines of its body. */
function withBodies(lines: readonly string[]): string[] {
  const joined: string[] = [];
  for (const line of lines) {
    if (line.startsWith(' ')) joined.push(`${joined.pop() ?? ''}\n${line.trim()}`);
    else joined.push(line);
  }
  return joined;
}

function step(line: string): Step {
  const [first = '', ...body] = line.split('\n');
  const [, from = '', to = '', number, text = ''] = /^(\w+)(?:→(\w+))? +(\d+) {2}(.*)$/.exec(first) ?? [];
  if (number === undefined) throw new Error(`not a step: ${first}`);
  if (from === 'time') return { number: Number(number), client: '', by: 'time', action: time(text) };
  const by = to === 'S' ? 'client' : 'server';
  return { number: Number(number), client: by === 'client' ? from : to, by, action: action(text, body) };
}

function action(text: string, body: readonly string[]): Action {
  const [word = '', rest = ''] = split(text, ' ');
  if (word.startsWith('[')) return { kind: 'frame', text, lost: false };
  if (word === 'lost') return rest === '' ? { kind: 'lost' } : { kind: 'frame', text: rest, lost: true };
  if (word === 'connect' || word === 'connected') return { kind: word, subprotocol: rest };
  if (word === 'close') {
    const [code, reason] = split(rest, ' ');
    return { kind: 'close', code: Number(code), reason };
  }
  const [head = '', ...fields] = text.split(/ {2,}/);
  const headers = Object.fromEntries(fields.map((field) => split(field, ': ')));
  if (/^[A-Z]+$/.test(head)) return { kind: 'request', method: head, headers, body };
  const [, status, to] = /^(\d{3}) to (\d+)$/.exec(head) ?? [];
  if (status === undefined) throw new Error(`not an action: ${text}`);
  return { kind: 'response', status: Number(status), to: Number(to), headers, body };
}

/** A line as wscat shows it: `>` is what the person types. */
function typed(line: string): Step {
  const [, number, text = ''] = /^ *(\d+) {2}(.*)$/.exec(line) ?? [];
  if (number === undefined) throw new Error(`not a step: ${line}`);
  const by = /^[$>]/.test(text) ? 'client' : text.startsWith('(') ? 'time' : 'server';
  return { number: Number(number), client: by === 'time' ? '' : 'C', by, action: typedAction(text) };
}

function typedAction(text: string): Action {
  const rest = text.slice(2);
  if (text.startsWith('$ ')) return { kind: 'connect', subprotocol: '' };
  if (text === 'Connected (press CTRL+C to quit)') return { kind: 'connected', subprotocol: '' };
  if (text.startsWith('> /close ')) return { kind: 'close', code: Number(rest.slice(7)), reason: '' };
  if (text.startsWith('> ') || text.startsWith('< ')) return { kind: 'frame', text: rest, lost: false };
  const [, code, reason = ''] = /^Disconnected \(code: (\d+), reason: "(.*)"\)$/.exec(text) ?? [];
  if (code !== undefined) return { kind: 'close', code: Number(code), reason };
  const [, seconds] = /^\((\d+) seconds later\)$/.exec(text) ?? [];
  if (seconds === undefined) throw new Error(`not what wscat shows: ${text}`);
  return time(`${seconds}000 ms`);
}

function time(text: string): Action {
  const [, ms] = /^(\d+) ms$/.exec(text) ?? [];
  if (ms === undefined) throw new Error(`not a time: ${text}`);
  return { kind: 'time', ms: Number(ms) };
}

function split(text: string, by: string): [before: string, after: string] {
  const at = text.indexOf(by);
  return at < 0 ? [text, ''] : [text.slice(0, at), text.slice(at + by.length)];
}
