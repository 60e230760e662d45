// What this node asks others, and what they ask it. An answer may be lost with a connection of who asks: then the question has failed, and
// whoever asked knows as little as after a deadline.
import type { Codec } from '@halyard/codec';
import { HalyardError, LocalUsageError, PacketType, RemoteProtocolError, type Value } from '@halyard/protocol';
import type { StoreEvents } from '@halyard/server';
import { packSaid, type Said } from './entries';

interface Question {
  readonly node: string;
  resolve(value: Value): void;
  reject(error: Error): void;
}

export interface QuestionsContext {
  readonly codec: Codec;
  /** Says something to a node. @returns how many have heard it */
  say(node: string, message: Buffer): Promise<number>;
  /** @returns a little later. Rejects once nothing is said any more */
  later(): Promise<void>;
}

/** An answer that nobody waits for. */
const nothing = packSaid({ kind: 'answer', id: 0, message: Buffer.alloc(0) });

/** So often an answer is said that has met no connection: for some ten seconds. */
const answerTriesMax = 40;

/** What another node may say of its failure. */
const charsMax = 1_024;

export class Questions {
  readonly #context: QuestionsContext;
  readonly #open = new Map<number, Question>();
  #last = 0;

  constructor(context: QuestionsContext) {
    this.#context = context;
  }

  ask(from: string, node: string, message: Value): Promise<Value> {
    return new Promise((resolve, reject) => {
      const id = ++this.#last;
      const said = packSaid({ kind: 'ask', from, id, message: this.#encode(message) });
      this.#open.set(id, { node, resolve, reject });
      const fail = (error: Error): void => this.#settle(id, ({ reject }) => reject(error));
      this.#context.say(node, said).then((heard) => {
        if (heard === 0) fail(unknownNode(node));
      }, fail);
    });
  }

  /** Another node asks. */
  async answer(said: Extract<Said, { kind: 'ask' }>, onMessage: StoreEvents['onMessage']): Promise<void> {
    const { from, id } = said;
    let answer: Buffer;
    try {
      const message = this.#decode(said.message);
      answer = packSaid({ kind: 'answer', id, message: this.#encode(await onMessage(from, message)) });
    } catch (error) {
      const code = error instanceof HalyardError ? error.code : 'ERR_ANSWER';
      const text = error instanceof Error ? error.message : String(error);
      answer = packSaid({ kind: 'failure', id, code: code.slice(0, charsMax), text: text.slice(0, charsMax) });
    }
    await this.#sayAgain(from, answer).catch(() => {});
  }

  /** Who asks waits as long as its deadline allows, and the connection may be back long before. Heard twice it is answered once. */
  async #sayAgain(node: string, answer: Buffer): Promise<void> {
    for (let tries = 1; ; tries++) {
      try {
        await this.#context.say(node, answer);
        return;
      } catch (error) {
        if (tries === answerTriesMax) throw error;
        await this.#context.later();
      }
    }
  }

  answered({ id, message }: Extract<Said, { kind: 'answer' }>): void {
    this.#settle(id, ({ resolve, reject }) => {
      try {
        resolve(this.#decode(message));
      } catch (error) {
        reject(error as Error);
      }
    });
  }

  failed({ id, code, text }: Extract<Said, { kind: 'failure' }>): void {
    this.#settle(id, ({ reject }) => reject(new HalyardError(code, text)));
  }

  /** Looks whether those who are waited for still listen: a node that was killed does not, long before it is taken for gone. */
  probe(): void {
    const nodes = new Set([...this.#open.values()].map(({ node }) => node));
    for (const node of nodes) {
      this.#context.say(node, nothing).then(
        (heard) => {
          if (heard === 0) this.left(node);
        },
        () => {},
      );
    }
  }

  /** Nobody answers for a node any more. */
  left(node: string): void {
    for (const [id, question] of this.#open) {
      if (question.node === node) this.#settle(id, ({ reject }) => reject(unknownNode(node, true)));
    }
  }

  /** Answers may have been missed. */
  missed(): void {
    for (const id of this.#open.keys()) {
      this.#settle(id, ({ reject }) => reject(new LocalUsageError('ERR_STORE_AWAY', 'the answer may be lost')));
    }
  }

  #settle(id: number, how: (question: Question) => void): void {
    const question = this.#open.get(id);
    if (question === undefined) return;
    this.#open.delete(id);
    how(question);
  }

  #encode(value: Value): Buffer {
    return Buffer.from(this.#context.codec.encode({ type: PacketType.Ack, ack: 1, value }) as Uint8Array);
  }

  #decode(bytes: Buffer): Value {
    const { codec } = this.#context;
    const packet = codec.decode(codec.binary ? bytes : bytes.toString());
    if (packet.type !== PacketType.Ack) throw new RemoteProtocolError('ERR_MESSAGE', 'not a value by itself');
    return packet.value ?? null;
  }
}

/** @param wasAsked it may have done what it was asked for */
function unknownNode(node: string, wasAsked = false): LocalUsageError {
  return new LocalUsageError('ERR_NODE_UNKNOWN', `there is no node ${node}`, { wasAsked });
}
