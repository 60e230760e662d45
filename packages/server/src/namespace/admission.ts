// How a session enters a namespace: the middleware decides, then the socket is made and the app hears of it.
import type { Failure } from '@halyard/protocol';
import type { Meters } from '../base/meters';
import type { Entrant } from '../session/context';
import type { Handshake } from '../session/handshake';
import type { Presence } from '../session/presence';
import type { PresenceRecord } from '../session/record';
import type { SessionKeys } from '../session/session-keys';
import { fireHandlers } from './handlers';
import type { Running } from './handling';
import { type DecisionContext, decide } from './middleware';
import type { Rules } from './rules';

export interface AdmissionContext extends DecisionContext {
  /** Makes the socket, a member of the namespace. */
  createSocket(entrant: Entrant, handshake: Handshake, record?: PresenceRecord): Presence;
  /** Where sessions are counted by user, if they are. */
  readonly sessionKeys: SessionKeys | undefined;
  readonly meters: Meters;
  readonly running: Running;
  /** A question was decided. */
  decided(): void;
}

export class Admission {
  readonly #rules: Rules;
  readonly #context: AdmissionContext;
  /** Handshakes that are not decided. */
  #pending = 0;

  constructor(rules: Rules, context: AdmissionContext) {
    this.#rules = rules;
    this.#context = context;
  }

  /** Whether nobody waits for a decision. */
  get isIdle(): boolean {
    return this.#pending === 0;
  }

  admit(entrant: Entrant, handshake: Handshake): void {
    this.#pending++;
    this.#context.running.count++;
    const { instruments } = this.#context.meters;
    if (instruments?.enter !== undefined) {
      const { namespace, transport } = handshake;
      instruments.enter({ namespace, transport, session: entrant.id }, () => this.#ask(entrant, handshake));
    } else if (this.#rules.middleware.length === 0) this.#decide(entrant, handshake, undefined);
    else void this.#ask(entrant, handshake);
  }

  /** @returns the code of the refusal; empty if there is none. Never rejects */
  async #ask(entrant: Entrant, handshake: Handshake): Promise<string> {
    const failure = await decide(this.#rules.middleware, handshake, this.#context, 'The connection was refused.');
    return this.#decide(entrant, handshake, failure)?.code ?? '';
  }

  revive(entrant: Entrant, handshake: Handshake, record: PresenceRecord): () => void {
    const { createSocket, sessionKeys } = this.#context;
    sessionKeys?.arrived(entrant, handshake);
    const socket = createSocket(entrant, handshake, record);
    entrant.revived(socket);
    return () => {
      this.#tell(socket);
      socket.told();
    };
  }

  /** @returns the refusal, if there is one */
  #decide(entrant: Entrant, handshake: Handshake, failure: Failure | undefined): Failure | undefined {
    this.#pending--;
    this.#context.running.count--;
    let refusal = failure;
    // Meanwhile the client may have left, or be gone.
    if (entrant.awaits(handshake)) {
      refusal ??= this.#context.sessionKeys?.admit(entrant, handshake);
      if (refusal === undefined) this.#connect(entrant, handshake);
      else entrant.refused(handshake, refusal);
    }
    entrant.decided();
    this.#context.decided();
    return refusal;
  }

  #connect(entrant: Entrant, handshake: Handshake): void {
    const socket = this.#context.createSocket(entrant, handshake);
    entrant.connected(socket);
    this.#tell(socket);
    entrant.ready(socket);
  }

  #tell(socket: Presence): void {
    fireHandlers(this.#rules.listeners, 'connection', [socket], (error) =>
      this.#context.report(error, 'a handler of "connection"'),
    );
  }
}
