// Bodies of polling, of both kinds of framing: server and client split them alike, and joined again they are the same frames.
import { type Frame, FrameSplitter, joinFrames, RemoteProtocolError, splitFrames } from '@halyard/protocol';
import { Broken, bytesOf, type Target, textOf, unlessRefused } from '../target';
import { sampleTexts, words } from './packets';

function target(name: string, binary: boolean): Target {
  return {
    name,
    seeds() {
      const frames = sampleTexts.map((text) => (binary ? bytesOf(text) : text));
      const all = [frames, frames.slice(0, 3), frames.slice(5, 6), []].map((some) => joinFrames(some, binary));
      return all.map((body) => (typeof body === 'string' ? bytesOf(body) : body));
    },
    words: [
      '\n',
      '\n\n',
      '\r\n',
      Uint8Array.of(0, 0, 0, 0),
      Uint8Array.of(0, 0, 0, 1),
      Uint8Array.of(255, 255, 255, 255),
      ...words,
    ],
    bytesMax: 16_384,
    batch: 500,
    run(input) {
      const body = binary ? input : textOf(input);
      const server = unlessRefused(() => framesOf(body), RemoteProtocolError);
      const client = unlessRefused(() => splitFrames(body), RemoteProtocolError);
      if (!isSame(server, client)) throw new Broken('server and client split it in different ways');
      if (server === undefined) return;
      if (!isSame(framesOf(joinFrames(server, binary)), server)) throw new Broken('joined again they are other frames');
    },
  };
}

function framesOf(body: string | Uint8Array): Frame[] {
  const splitter = new FrameSplitter(body);
  const frames: Frame[] = [];
  for (let frame = splitter.next(), last = -1; frame !== undefined; frame = splitter.next()) {
    if (splitter.position <= last) throw new Broken('it does not go on');
    last = splitter.position;
    frames.push(frame);
  }
  return frames;
}

function isSame(some: readonly Frame[] | undefined, others: readonly Frame[] | undefined): boolean {
  if (some === undefined || others === undefined) return some === others;
  return (
    some.length === others.length &&
    some.every((frame, i) => Buffer.compare(Buffer.from(frame as string), Buffer.from(others[i] as string)) === 0)
  );
}

export const bodyTargets: readonly Target[] = [target('bodies-text', false), target('bodies-binary', true)];
