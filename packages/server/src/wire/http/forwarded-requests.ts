// Requests that other servers hand over, because the connection is here. Each is answered to the server that has the client's.
import type { Value } from '@halyard/protocol';
import type { HttpAnswer, HttpReply } from '../../host/host';
import { bodyTooBig } from '../../host/json-error';
import { answerMessage, type HttpRequest, numberOf, requestOf } from './forwarded';

export interface ForwardedRequestsOptions {
  readonly httpBodyBytesMax: number;
  /** Answers a request, now or later. */
  answer(request: HttpRequest, reply: HttpReply): void;
  /** A limit was met. @param code the option */
  warn(code: string, message: string): void;
}

export class ForwardedRequests {
  readonly #options: ForwardedRequestsOptions;
  /** Those without an answer, by the node that waits and its number for them. */
  readonly #held = new Map<string, HeldReply>();

  constructor(options: ForwardedRequestsOptions) {
    this.#options = options;
  }

  /** @throws RemoteProtocolError `ERR_FORWARDED` for what is no request */
  readonly take = (message: Value, from: string): Promise<Value> => {
    const { number, request } = requestOf(message);
    const { answer, httpBodyBytesMax, warn } = this.#options;
    return new Promise((resolve) => {
      const key = keyOf(from, number);
      const reply = new HeldReply((said) => {
        if (this.#held.get(key) === reply) this.#held.delete(key);
        resolve(answerMessage(said));
      });
      this.#held.set(key, reply);
      if (request.body.length > httpBodyBytesMax) {
        warn(
          'httpBodyBytesMax',
          `A request of another server was refused: it has more than ${httpBodyBytesMax} bytes.`,
        );
        reply.send(bodyTooBig(httpBodyBytesMax));
      } else answer(request, reply);
    });
  };

  /** Nobody waits for an answer any more: it is as if the client had hung up here. @throws RemoteProtocolError `ERR_FORWARDED` */
  readonly abort = (message: Value, from: string): null => {
    this.#held.get(keyOf(from, numberOf(message)))?.abort();
    return null;
  };
}

class HeldReply implements HttpReply {
  onAbort: (() => void) | undefined = undefined;
  readonly #answered: (answer: HttpAnswer) => void;
  #isOver = false;

  constructor(answered: (answer: HttpAnswer) => void) {
    this.#answered = answered;
  }

  send(answer: HttpAnswer): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#answered(answer);
  }

  abort(): void {
    if (this.#isOver) return;
    this.onAbort?.();
    // The other server lets go of it.
    this.send({ status: 204 });
  }
}

function keyOf(node: string, number: number): string {
  return `${node} ${number}`;
}
