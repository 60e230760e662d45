// What nodes ask each other, written once above `Store.send`: handlers by kind, deadlines, and the answers of many with the nodes
// that are missing. What another node says is not believed: here what all kinds have in common is checked, and a handler
// checks its own value.
import {
  HalyardError,
  LocalUsageError,
  PublicError,
  packetLimits,
  RemoteProtocolError,
  type Value,
} from '@halyard/protocol';
import type { Platform } from '../base/platform';
import { Timed, type TimerWheel } from '../base/wheel';
import type { Awaitable, Store } from './store';

/** Bounds of every inbox. */
export const inboxLimits = {
  kindCharsMax: 64,
  /** Questions of this node that may wait for their answers at a time. */
  askedMax: 262_144,
  /** Questions of other nodes that may be at work here at a time. */
  answeringMax: 262_144,
} as const;

/** Of the form of messages. A node that has another one answers with an error. */
const version = 1;

export interface InboxContext {
  readonly store: Pick<Store, 'send'>;
  /** Id of this node. */
  readonly node: string;
  readonly platform: Pick<Platform, 'soon'>;
  readonly wheel: TimerWheel;
  report(error: unknown, where: string): void;
  warn(code: string, message: string): void;
}

/** Answers a question of another node. What it throws is the answer: all of a HalyardError, and nothing of any other. */
export type MessageHandler = (value: Value, from: string) => Awaitable<Value>;

/** What came back from many nodes. */
export interface Answers {
  readonly results: (readonly [node: string, value: Value])[];
  /** Nodes that are gone, were too slow, or answered with an error. */
  readonly missing: string[];
}

/** A question that has no answer yet. */
class Question extends Timed {
  readonly node: string;
  readonly #settle: (outcome: Value | Error, isError: boolean) => void;

  constructor(node: string, settle: (outcome: Value | Error, isError: boolean) => void) {
    super();
    this.node = node;
    this.#settle = settle;
  }

  resolve(value: Value): void {
    this.#settle(value, false);
  }

  reject(error: Error): void {
    this.#settle(error, true);
  }

  override due(): void {
    this.reject(new LocalUsageError('ERR_REQUEST_TIMEOUT', `node ${this.node} has not answered in time`));
  }
}

export class Inbox {
  readonly #context: InboxContext;
  readonly #handlers = new Map<string, MessageHandler>();
  /** All other nodes that are there. */
  readonly #others = new Set<string>();
  readonly #asked = new Set<Question>();
  #answering = 0;
  #isClosed = false;

  constructor(context: InboxContext) {
    this.#context = context;
  }

  /** All nodes that are there: this one first. */
  get nodes(): readonly string[] {
    return [this.#context.node, ...this.#others];
  }

  /** Who answers questions of a kind. */
  on(kind: string, handler: MessageHandler): void {
    this.#handlers.set(kind, handler);
  }

  /**
   * Asks another node.
   * @param timeoutMs up to 100 ms more; Infinity: until the node is gone
   * @returns its answer. Rejects with LocalUsageError `ERR_NODE_UNKNOWN` if the node is not there, or goes (`details.wasAsked`);
   *   `ERR_REQUEST_TIMEOUT`; `ERR_REQUESTS_FULL` past `askedMax`; `ERR_INBOX_CLOSED`; RemoteProtocolError `ERR_ANSWER` for what is no
   *   answer; PublicError with code and message of the error that is the answer
   */
  ask(node: string, kind: string, value: Value, timeoutMs: number): Promise<Value> {
    return new Promise((resolve, reject) => {
      if (this.#isClosed) throw closed();
      // Names come from outside: the store is not asked for what cannot be.
      if (!this.#others.has(node)) throw unknownNode(node);
      const { askedMax } = inboxLimits;
      if (this.#asked.size >= askedMax) {
        throw new LocalUsageError('ERR_REQUESTS_FULL', `${askedMax} questions wait for other nodes (askedMax)`);
      }
      const { store, wheel } = this.#context;
      const question = new Question(node, (outcome, isError) => {
        if (!this.#asked.delete(question)) return;
        wheel.cancel(question);
        if (isError) reject(outcome);
        else resolve(outcome as Value);
      });
      this.#asked.add(question);
      wheel.schedule(question, wheel.now() + timeoutMs);
      const failed = (error: unknown): void => question.reject(error instanceof Error ? error : new Error(`${error}`));
      try {
        store.send(node, [version, kind, value]).then((answer) => settleBy(question, answer), failed);
      } catch (error) {
        failed(error);
      }
    });
  }

  /**
   * Asks all other nodes that are there now. Never rejects because of one: it is missing, at once if it is gone, at the
   * deadline if it is slow. An error that is an answer is reported as well.
   * @param timeoutMs as of `ask`
   */
  async askAll(kind: string, value: Value, timeoutMs: number): Promise<Answers> {
    const answers: Answers = { results: [], missing: [] };
    const asked = [...this.#others].map(async (node) => {
      try {
        answers.results.push([node, await this.ask(node, kind, value, timeoutMs)]);
      } catch (error) {
        answers.missing.push(node);
        this.#tell(error, node, kind);
      }
    });
    await Promise.all(asked);
    return answers;
  }

  /** The store is open: these nodes are there. */
  opened(nodes: readonly string[]): void {
    for (const node of nodes) this.joined(node);
  }

  joined(node: string): void {
    if (node !== this.#context.node) this.#others.add(node);
  }

  /** Who waits for a node that is gone need not wait any more. */
  left(node: string): void {
    this.#others.delete(node);
    for (const question of [...this.#asked]) if (question.node === node) question.reject(unknownNode(node, true));
  }

  /** Another node asks. @returns the answer, in a turn of the event loop of its own; never rejects */
  receive(from: string, message: Value): Promise<Value> {
    return new Promise((resolve) => {
      this.#context.platform.soon(() => void this.#answer(from, message).then(resolve));
    });
  }

  /** Nothing is asked or answered any more. */
  close(): void {
    this.#isClosed = true;
    for (const question of [...this.#asked]) question.reject(closed());
  }

  async #answer(from: string, message: Value): Promise<Value> {
    let kind = '';
    try {
      if (this.#isClosed) throw closed();
      kind = kindOf(message);
      const handler = this.#handlers.get(kind);
      if (handler === undefined) throw new RemoteProtocolError('ERR_KIND_UNKNOWN', `nothing answers "${kind}" here`);
      const { answeringMax } = inboxLimits;
      if (this.#answering >= answeringMax) {
        throw new LocalUsageError('ERR_INBOX_FULL', `${answeringMax} questions are at work here (answeringMax)`);
      }
      this.#answering++;
      try {
        return [true, await handler((message as readonly Value[])[2] as Value, from)];
      } finally {
        this.#answering--;
      }
    } catch (error) {
      if (error instanceof HalyardError) return [false, cut(error.code), cut(error.message)];
      this.#context.report(error, `answering "${kind}" to node ${from}`);
      return [false, 'ERR_INTERNAL', 'the node failed to answer'];
    }
  }

  #tell(error: unknown, node: string, kind: string): void {
    const code = error instanceof HalyardError ? error.code : 'ERR_STORE_AWAY';
    if (code === 'ERR_NODE_UNKNOWN' || code === 'ERR_INBOX_CLOSED') return;
    if (code === 'ERR_REQUEST_TIMEOUT') this.#context.warn(code, `Node ${node} has not answered "${kind}" in time.`);
    // Whoever asks is told who is missing; while the store is away that is everybody, whatever they are asked.
    else if (code === 'ERR_STORE_AWAY') {
      const why = error instanceof Error ? error.message : String(error);
      this.#context.warn(code, `Node ${node} could not be asked for "${kind}": the store does not carry it (${why}).`);
    } else this.#context.report(error, `asking node ${node} for "${kind}"`);
  }
}

/** @throws RemoteProtocolError that names the rule */
function kindOf(message: Value): string {
  const { kindCharsMax } = inboxLimits;
  if (!Array.isArray(message) || message.length !== 3) {
    throw new RemoteProtocolError('ERR_MESSAGE', 'a message between servers is a list of version, kind and value');
  }
  const [theirs, kind] = message as readonly Value[];
  if (theirs !== version) {
    throw new RemoteProtocolError('ERR_MESSAGE_VERSION', `messages between servers are of version ${version} here`);
  }
  if (typeof kind !== 'string' || kind === '' || kind.length > kindCharsMax) {
    throw new RemoteProtocolError(
      'ERR_MESSAGE_KIND',
      `the kind of a message is text of 1 to ${kindCharsMax} characters`,
    );
  }
  return kind;
}

function settleBy(question: Question, answer: Value): void {
  if (Array.isArray(answer)) {
    const [isValue, first, second] = answer as readonly Value[];
    if (isValue === true && answer.length === 2) {
      question.resolve(first as Value);
      return;
    }
    if (isValue === false && typeof first === 'string' && typeof second === 'string') {
      question.reject(new PublicError(cut(first), cut(second)));
      return;
    }
  }
  question.reject(new RemoteProtocolError('ERR_ANSWER', `node ${question.node} answered with what is no answer`));
}

/** @param wasAsked it may have done what it was asked for */
function unknownNode(node: string, wasAsked = false): LocalUsageError {
  return new LocalUsageError('ERR_NODE_UNKNOWN', `there is no node ${cut(node)}`, { wasAsked });
}

function closed(): LocalUsageError {
  return new LocalUsageError('ERR_INBOX_CLOSED', 'the server shuts down');
}

function cut(text: string): string {
  return text.slice(0, packetLimits.reasonCharsMax);
}
