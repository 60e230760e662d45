// The transcripts and the encoded forms in docs/PROTOCOL.md are true: they are played on the raw wire, on both hosts.
// And a transcript that is changed is found out.
import { readFileSync } from 'node:fs';
import { json } from '@halyard/codec/json';
import { msgpack } from '@halyard/codec-msgpack';
import { protobuf } from '@halyard/codec-protobuf';
import { describe, expect, test } from 'vitest';
import { hosts } from '../kit/hosts';
import { play } from './player';
import { type Action, readBlocks, readTranscripts, type Step, type Transcript } from './transcript';

const protocol = readFileSync(new URL('../../docs/PROTOCOL.md', import.meta.url), 'utf8');
const transcripts = readTranscripts(protocol);
const [app = ''] = readBlocks(protocol, 'js app');

describe.each(hosts)('transcripts on %s', (_name, host) => {
  test.each(transcripts)('$name', (transcript) => play(host(), app, transcript));
});

describe('a transcript that lies', () => {
  const host = hosts.at(-1)?.[1];
  if (host === undefined) throw new Error('no host');

  test.each(transcripts)(
    '$name: whatever the server says, said differently or left out, is found out',
    async (transcript) => {
      for (const lie of lies(transcript)) {
        await expect(play(host(), app, lie), lie.name).rejects.toThrow();
      }
    },
  );
});

describe('encoded forms', () => {
  const forms = readBlocks(protocol, 'forms').flatMap((block) => block.split(/\n(?=\S)/));

  test.each(forms)('%s', (form) => {
    const [text = '', ...lines] = form.split('\n');
    const packet = json().decode(text);
    expect(json().encode(packet)).toBe(text);
    const codecs = [msgpack(), protobuf()];
    expect(lines.length).toBe(codecs.length);
    for (const codec of codecs) {
      const line = lines.find((candidate) => candidate.trim().startsWith(codec.name)) ?? '';
      const bytes = Buffer.from(line.trim().slice(codec.name.length).replaceAll(' ', ''), 'hex');
      expect(Buffer.from(codec.encode(packet) as Uint8Array).toString('hex'), codec.name).toBe(bytes.toString('hex'));
      expect(json().encode(codec.decode(bytes))).toBe(text);
    }
  });
});

test('there are transcripts of each transport, and forms', () => {
  expect(transcripts.length).toBeGreaterThanOrEqual(9);
  expect(readBlocks(protocol, 'forms')).not.toEqual([]);
});

/** The transcript with each step of the server told differently, and without it. */
function lies({ name, steps, shared }: Transcript): Transcript[] {
  return steps.flatMap((step, i) => {
    if (step.by !== 'server') return [];
    const before = steps.slice(0, i);
    const after = steps.slice(i + 1);
    return [
      { shared, name: `${name}, ${step.number} differs`, steps: [...before, differently(step), ...after] },
      { shared, name: `${name}, ${step.number} left out`, steps: [...before, ...after] },
    ];
  });
}

function differently(step: Step): Step {
  return { ...step, action: changed(step.action) };
}

function changed(action: Action): Action {
  switch (action.kind) {
    case 'connected':
      return { ...action, subprotocol: 'halyard.v1+msgpack' };
    case 'frame':
      return { ...action, text: action.text.replace(/\]$/, ',0]') };
    case 'close':
      return { ...action, code: action.code + 1 };
    case 'response':
      if (action.body.length === 0) return { ...action, status: action.status === 200 ? 204 : 200 };
      return { ...action, body: action.body.slice(1) };
    default:
      throw new Error(`the server does not ${action.kind}`);
  }
}
