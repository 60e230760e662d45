// A line and what was said over it: packets are taken in their order, heartbeats and confirmations on the way, and every one is
// shown to a watch, which knows the rules that hold whatever a case is about.
import type { Heard, Line, Tuple } from './line';
import type { Names } from './pattern';

/** Throws a `BrokenRule` for a packet that the other end may not send here. */
export interface Watch {
  said(frame: Tuple): void;
  /** Something was said that a case alone understands: from now on nobody knows how much is counted. */
  saidRaw(): void;
  heard(frame: Tuple, size: number): void;
}

export class BrokenRule extends Error {
  constructor(rule: string, what: string) {
    super(`${rule}: ${what}`);
  }
}

const Type = { Sack: 7, Ping: 8, Pong: 9, Hint: 64, HintMax: 127 } as const;

/** Packets that both ends count (docs/PROTOCOL.md §4). */
export const isCounted = ([type]: Tuple): boolean => [2, 3, 4, 10, 11, 12, 13, 15].includes(type as number);
export const isControl = ([type]: Tuple): boolean => type === Type.Sack || type === Type.Ping || type === Type.Pong;
const isHint = ([type]: Tuple): boolean => (type as number) >= Type.Hint && (type as number) <= Type.HintMax;

export class Talk {
  readonly line: Line;
  readonly #watch: Watch;
  readonly #withinMs: number;
  /** What the other end has told last that it has handled. */
  confirmed = 0;
  /** Nothing more is expected of it. */
  over = false;

  constructor(line: Line, watch: Watch, withinMs: number) {
    this.line = line;
    this.#watch = watch;
    this.#withinMs = withinMs;
  }

  send(frame: Tuple): void {
    this.#watch.said(frame);
    this.line.send(frame);
  }

  /** A case says something without it. */
  saidRaw(): void {
    this.#watch.saidRaw();
  }

  sendRaw(data: string | Uint8Array): void {
    this.saidRaw();
    this.line.sendRaw(data);
  }

  /** The next packet is this one, but for what is passed over. */
  async expect(pattern: Tuple, names: Names, withinMs?: number): Promise<Tuple> {
    const what = JSON.stringify(pattern);
    for (;;) {
      const frame = await this.#next(what, withinMs);
      if (isControl(frame) || isHint(frame)) {
        if (names.matches((attempt) => attempt.matchFrame(pattern, frame))) return frame;
        this.#passOver(frame);
      } else {
        names.matchFrame(pattern, frame);
        return frame;
      }
    }
  }

  /** The next packets are these, in any order. */
  async expectAll(patterns: readonly Tuple[], names: Names): Promise<void> {
    const left = [...patterns];
    while (left.length > 0) {
      const frame = await this.#next(JSON.stringify(left));
      const at = left.findIndex((pattern) => names.matches((attempt) => attempt.matchFrame(pattern, frame)));
      if (at >= 0) left.splice(at, 1);
      else if (isControl(frame) || isHint(frame)) this.#passOver(frame);
      else throw new Error(`there came ${JSON.stringify(frame)}, none of ${JSON.stringify(left)}`);
    }
  }

  /** The other end tells that it has handled so many. */
  async expectConfirmed(count: number, withinMs?: number): Promise<void> {
    while (this.confirmed < count) {
      const frame = await this.#next(`a SACK, PING or PONG that confirms ${count}`, withinMs);
      if (!isControl(frame)) throw new Error(`there came ${JSON.stringify(frame)} before ${count} were confirmed`);
      this.#passOver(frame);
    }
  }

  /** Nothing came that no step has seen: PONG is the answer to a PING behind all of it. */
  async expectQuiet(): Promise<void> {
    this.send([Type.Ping]);
    for (;;) {
      const frame = await this.#next('PONG');
      if (frame[0] === Type.Pong) return;
      if (!isControl(frame) && !isHint(frame)) throw new Error(`there came more: ${JSON.stringify(frame)}`);
      this.#passOver(frame);
    }
  }

  /** Nothing but heartbeats and confirmations comes for so long: where PING may not be sent. */
  async expectStill(ms: number): Promise<void> {
    await new Promise((resolve) => setTimeout(resolve, ms));
    const more = this.line.heard.waiting.find((heard) => heard.kind === 'closed' || !isControl(heard.frame));
    if (more !== undefined) throw new Error(`there came more: ${JSON.stringify(more)}`);
  }

  /** @param codes that it may be closed with */
  async expectClosed(codes: readonly number[], withinMs?: number): Promise<Extract<Heard, { kind: 'closed' }>> {
    this.over = true;
    for (;;) {
      const heard = await this.line.heard.take(`a close with ${codes.join(' or ')}`, withinMs ?? this.#withinMs);
      if (heard.kind === 'closed') {
        if (codes.includes(heard.code)) return heard;
        throw new Error(`it was closed with ${heard.code} ${heard.reason}, not with ${codes.join(' or ')}`);
      }
      this.#watch.heard(heard.frame, heard.size);
      if (!isControl(heard.frame) && !isHint(heard.frame))
        throw new Error(`there came ${JSON.stringify(heard.frame)}, not a close with ${codes.join(' or ')}`);
    }
  }

  async #next(what: string, withinMs = this.#withinMs): Promise<Tuple> {
    const heard = await this.line.heard.take(what, withinMs);
    if (heard.kind === 'closed') {
      this.over = true;
      throw new Error(`it was closed with ${heard.code} ${heard.reason}, instead of ${what}`);
    }
    const { frame, size } = heard;
    this.#watch.heard(frame, size);
    if (isControl(frame)) this.confirmed = Math.max(this.confirmed, (frame[1] as number | null) ?? 0);
    return frame;
  }

  /** A PING gets its PONG, without a count: so does a tool that counts nothing. */
  #passOver([type]: Tuple): void {
    if (type === Type.Ping) this.send([Type.Pong]);
  }
}
