// What a target means on other servers: its sockets there are listed, acted upon and asked, with what came back and which servers
// did not answer. Each server does for itself what it is asked; nothing here rejects because of one of them. Longer than other files: each
// question with its answer.
import type { Codec } from '@halyard/codec';
import { type Frame, LocalUsageError, PublicError, type Value } from '@halyard/protocol';
import type { Stamps } from '../log/stamp';
import { encodeEvent, encodeValue } from '../session/record';
import type { Shape } from '../session/record-shape';
import type { Answers, Inbox } from '../store/inbox';
import type { QueuedTurn } from '../store/queued-turn';
import type { Turn } from '../store/turn';
import type { Trust } from '../wire/proxies';
import type { Revocation, Revocations, Withdrawal } from './revocations';
import { type FoundSocket, factsOf, factsShape, foundOf, type SocketFacts, type UsableSocket } from './socket-facts';
import { decoded, shaped, targetMessage, targetOf, targetShape } from './target-message';
import type { LocalTargets, TargetSpec } from './target-spec';
import { Untold } from './untold';

export interface ClusterRequestsContext {
  readonly inbox: Inbox;
  /** Of values between servers. */
  readonly codec: Codec;
  readonly ackTimeoutMs: number;
  readonly trustProxy: Trust;
  /** Of what is done, so that it is known who came after it. */
  readonly stamps: Pick<Stamps, 'next' | 'observe'>;
  readonly revocations: Revocations;
  readonly turn: Turn;
  /** Milliseconds of a clock that does not go back. */
  now(): number;
  later(delayMs: number, run: () => void): void;
  /** @returns whom targets of a namespace mean here; undefined if there is no such namespace */
  targets(namespace: string): LocalTargets | undefined;
  report(error: unknown, where: string): void;
}

/** What is to become of sockets. */
export type Action = readonly [kind: 'join', rooms: readonly string[]] | Withdrawal;

/** Which servers did not answer: they are gone, were too slow, or failed. */
export interface Reached {
  readonly missing: readonly string[];
}

const kinds = {
  ...{ list: 'sockets', ids: 'socket ids', act: 'sockets act', ask: 'sockets ask' },
  revoked: 'sockets revoked',
} as const;
/** By so much the clock of a server that is gone may have been ahead: who had come into a room there had done so before. */
const skewMs = 50;
/** So long a session that comes to a server which starts waits for others to say what was taken lately. */
const learnMsMax = 500;
/** Longer than the other server waits for its sockets: its answer has to come here. */
const answerSlackMs = 1_000;

const askShape: Shape = { tuple: [targetShape, 'frame', 'count'] };
const answersShape: Shape = { tuple: [{ list: { tuple: ['text', 'frame'] } }, { list: 'text' }] };
/** What an action is done with, before its stamp and its id. */
const actionShapes: Readonly<Record<Action[0], Shape>> = {
  join: actionShape({ list: 'text' }),
  leave: actionShape({ list: 'text' }),
  disconnect: actionShape('flag'),
};

function actionShape(what: Shape): Shape {
  return { tuple: [targetShape, 'text', what, 'stamp', 'text'] };
}

/** Does something with a socket that is here. */
export function perform(socket: UsableSocket, action: Action): void {
  switch (action[0]) {
    case 'join':
      socket.join(...action[1]);
      return;
    case 'leave':
      socket.leave(...action[1]);
      return;
    case 'disconnect':
      socket.disconnect(action[1]);
      return;
  }
}

export class ClusterRequests {
  /** Once it is known what was taken while this server was not there, as far as others say so in time. Never rejects. */
  learned: Promise<void> = Promise.resolve();
  /** Is told which servers come and go. */
  readonly untold: Untold;
  readonly #context: ClusterRequestsContext;

  constructor(context: ClusterRequestsContext) {
    this.#context = context;
    this.untold = new Untold({ ...context, kind: kinds.revoked });
    const { inbox } = context;
    inbox.on(kinds.list, (value) => this.#here(value).map((socket) => factsOf(socket, context.codec)));
    inbox.on(kinds.ids, (value) => this.#here(value).map(({ id }) => id));
    inbox.on(kinds.act, (value) => this.#act(value));
    // Who tells nothing asks.
    inbox.on(kinds.revoked, (value, from) => {
      const told = shaped<Value[]>(value, { list: 'any' }, 'revocations');
      this.#takeOver(told, from);
      return told.length === 0 ? this.#revoked() : [];
    });
    inbox.on(kinds.ask, (value) => this.#ask(value));
  }

  /** The sockets of a target on other servers. */
  async sockets(namespace: string, spec: TargetSpec): Promise<Reached & { readonly found: FoundSocket[] }> {
    const { codec, trustProxy } = this.#context;
    const answers = await this.#askAll(kinds.list, targetMessage(namespace, spec), spec);
    const { found, missing } = this.#read(answers, (value, node) =>
      shaped<SocketFacts[]>(value, { list: factsShape }, 'sockets').map((facts) =>
        foundOf(facts, { node, namespace, codec, trustProxy }),
      ),
    );
    return { found: found.flat(), missing };
  }

  /** Their ids. */
  async ids(namespace: string, spec: TargetSpec): Promise<Reached & { readonly found: string[] }> {
    const answers = await this.#askAll(kinds.ids, targetMessage(namespace, spec), spec);
    const { found, missing } = this.#read(answers, (value) => shaped<string[]>(value, { list: 'text' }, 'ids'));
    return { found: found.flat(), missing };
  }

  /** Does something with all of them. */
  async act(namespace: string, spec: TargetSpec, action: Action): Promise<Reached> {
    const message = this.#messageOf(namespace, spec, action);
    // What was said to them before comes before.
    await this.#stored();
    const { missing } = await this.#askAll(kinds.act, message, spec);
    if (action[0] !== 'join') this.untold.add(missing, message);
    return { missing };
  }

  /**
   * Does something with one of them, wherever its session is by now.
   * @param owner had it when it was found
   * @returns whether it was there
   */
  async actOn(owner: string, namespace: string, spec: TargetSpec, action: Action): Promise<boolean> {
    const { inbox, ackTimeoutMs, report } = this.#context;
    const message = this.#messageOf(namespace, spec, action);
    await this.#stored();
    try {
      if ((await inbox.ask(owner, kinds.act, message, ackTimeoutMs)) !== 0) return true;
    } catch (error) {
      if (action[0] !== 'join') this.untold.add([owner], message);
      // Who is gone has perhaps done it: it may be done again.
      if (!(error instanceof LocalUsageError) || error.code !== 'ERR_NODE_UNKNOWN') {
        report(error, `"${action[0]}" for a socket of node ${owner}`);
        return false;
      }
    }
    const { results } = await inbox.askAll(kinds.act, message, ackTimeoutMs);
    return results.some(([, count]) => count !== 0);
  }

  /** Takes from a socket that has come from elsewhere what was to be taken while no server had it. */
  catchUp(socket: UsableSocket): void {
    for (const withdrawal of this.#context.revocations.of(socket)) perform(socket, withdrawal);
  }

  /** Asks all other servers what was taken while this one was not there: then `learned` resolves. */
  learn(): void {
    this.learned = this.#learn();
  }

  async #learn(): Promise<void> {
    const { results } = await this.#context.inbox.askAll(kinds.revoked, [], learnMsMax);
    for (const [node, value] of results) this.#hear(node, value);
  }

  #revoked(): Value[] {
    return this.#context.revocations
      .lately(Number.POSITIVE_INFINITY)
      .map(({ namespace, spec, withdrawal, stamp, id }) => actionMessage(namespace, spec, withdrawal, stamp, id));
  }

  #hear(node: string, value: Value): void {
    try {
      this.#takeOver(shaped(value, { list: 'any' }, 'revocations'), node);
    } catch (error) {
      this.#context.report(error, `reading the answer of node ${node}`);
    }
  }

  /** What another server knows was taken, and this one did not know, is taken from who is here, too. */
  #takeOver(list: readonly Value[], node: string): void {
    const { targets, revocations, report } = this.#context;
    const comers = new Set<UsableSocket>();
    const fresh = new Set<string>();
    for (const message of list) {
      try {
        if (Array.isArray(message) && revocations.has(message[4] as string)) continue;
        const { namespace, spec, id } = this.#actionOf(message);
        fresh.add(id);
        // Who is in an excepted room now may have come into it since.
        const all = targets(namespace)?.select({ ...spec, except: [] }) ?? [];
        for (const socket of all as UsableSocket[]) comers.add(socket);
      } catch (error) {
        // One of them must not keep it from the others.
        report(error, `what node ${node} says was taken`);
      }
    }
    for (const socket of comers) {
      try {
        for (const withdrawal of revocations.of(socket, fresh)) perform(socket, withdrawal);
      } catch (error) {
        report(error, 'what was taken while this server was cut off');
      }
    }
  }

  /** @returns an event as an `emit` takes it. @throws LocalUsageError `ERR_NOT_ENCODABLE` */
  encodeEvent(event: string, args: readonly Value[]): Frame {
    return encodeEvent(event, args, this.#context.codec);
  }

  /** Sends an event to each of them and gathers the replies, each with the id of its socket. @throws as `encodeEvent` */
  async replies(
    namespace: string,
    spec: TargetSpec,
    event: Frame,
  ): Promise<{ readonly answers: (readonly [id: string, value: unknown])[]; readonly missing: string[] }> {
    const { codec, ackTimeoutMs } = this.#context;
    const timeoutMs = spec.timeoutMs ?? ackTimeoutMs;
    // There is no number for "for as long as it takes" on the way.
    const message = [targetMessage(namespace, spec), event, Number.isFinite(timeoutMs) ? Math.ceil(timeoutMs) : 0];
    const answers = await this.#askAll(kinds.ask, message, { ...spec, timeoutMs: timeoutMs + answerSlackMs });
    const { found, missing } = this.#read(answers, (value) => {
      const [replied, silent] = shaped<[[string, Frame][], string[]]>(value, answersShape, 'answers');
      return { answers: replied.map(([id, reply]) => [id, decoded(reply, codec)] as const), silent };
    });
    return {
      answers: found.flatMap((one) => one.answers),
      missing: [...found.flatMap((one) => one.silent), ...missing],
    };
  }

  /** @returns once what was emitted here until now is stored, or has had its time. Never rejects */
  async #stored(): Promise<void> {
    const { ackTimeoutMs } = this.#context;
    const turn = this.#context.turn as QueuedTurn;
    if (turn.isShared && !turn.isIdle) await turn.stored(ackTimeoutMs).catch(() => {});
  }

  // What other servers ask of this one.

  #here(value: Value): UsableSocket[] {
    const { namespace, spec } = targetOf(shaped(value, targetShape, 'target'));
    // Sockets are all that a namespace makes of its members.
    return (this.#context.targets(namespace)?.select(spec) ?? []) as UsableSocket[];
  }

  /** @returns with how many sockets it was done, once the store knows: what is emitted from then on finds them where they are */
  async #act(message: Value): Promise<number> {
    const { target, action } = this.#actionOf(message);
    let failure: { readonly error: unknown } | undefined;
    const sockets = this.#here(target);
    for (const socket of sockets) {
      try {
        perform(socket, action);
      } catch (error) {
        // One of them must not keep it from the others.
        failure ??= { error };
      }
    }
    if (sockets.length > 0) await this.#stored();
    if (failure !== undefined) throw failure.error;
    return sockets.length;
  }

  /** @returns whom an action of another server means, what it is, and its id. What is taken is known from here on */
  #actionOf(message: Value) {
    const kind = Array.isArray(message) ? (message[1] as unknown) : undefined;
    if (typeof kind !== 'string' || !Object.hasOwn(actionShapes, kind)) {
      throw new PublicError('ERR_ACTION', `an action is one of ${Object.keys(actionShapes).join(', ')}`);
    }
    const shape = actionShapes[kind as Action[0]];
    const [target, , what, stamp, id] = shaped<[Value, string, never, number, string]>(message, shape, 'action');
    const action: Action = [kind as Action[0], what];
    this.#context.stamps.observe(stamp);
    const whom = targetOf(target);
    this.#note({ ...whom, id, stamp }, action);
    return { ...whom, target, action, id };
  }

  #note(said: Omit<Revocation, 'withdrawal'>, action: Action): void {
    if (action[0] !== 'join') this.#context.revocations.add({ ...said, withdrawal: action });
  }

  async #ask(message: Value): Promise<Value> {
    const [target, frame, timeoutMs] = shaped<[Value, Frame, number]>(message, askShape, 'question');
    const { codec, targets } = this.#context;
    const [event, args] = this.#eventOf(frame);
    const { namespace, spec } = targetOf(target);
    const answers: Value[] = [];
    const silent = await targets(namespace)?.gather(
      { ...spec, timeoutMs: timeoutMs === 0 ? Number.POSITIVE_INFINITY : timeoutMs },
      event,
      args,
      (id, value) => answers.push([id, encodeValue(value as Value | undefined, codec)]),
    );
    return [answers, silent ?? []];
  }

  #eventOf(frame: Frame): [event: string, args: readonly Value[]] {
    const event = shaped<Value>(decoded(frame, this.#context.codec) as Value, { list: 'any' }, 'event');
    const [name, ...args] = event as readonly Value[];
    return [shaped<string>(name as Value, 'text', 'event[0]'), args];
  }

  // What this server asks of others.

  #messageOf(namespace: string, spec: TargetSpec, action: Action): Value {
    const { stamps, inbox } = this.#context;
    const stamp = stamps.next(skewMs);
    const [node] = inbox.nodes;
    const id = `${node} ${stamp}`;
    this.#note({ namespace, spec, stamp, id }, action);
    return actionMessage(namespace, spec, action, stamp, id);
  }

  #askAll(kind: string, message: Value, { timeoutMs }: TargetSpec): Promise<Answers> {
    const { inbox, ackTimeoutMs } = this.#context;
    return inbox.askAll(kind, message, timeoutMs ?? ackTimeoutMs);
  }

  /** Who answers with what is no answer is missing as well. */
  #read<T>({ results, missing }: Answers, read: (value: Value, node: string) => T): { found: T[]; missing: string[] } {
    const found: T[] = [];
    const all = [...missing];
    for (const [node, value] of results) {
      try {
        found.push(read(value, node));
      } catch (error) {
        all.push(node);
        this.#context.report(error, `reading the answer of node ${node}`);
      }
    }
    return { found, missing: all };
  }
}

function actionMessage(namespace: string, spec: TargetSpec, [kind, what]: Action, stamp: number, id: string): Value {
  return [targetMessage(namespace, spec), kind, what as Value, stamp, id];
}
