// Questions to all servers: each answers for itself, or does not.
import type { Socket } from '@halyard/client';
import type { AdminToPage, AdminToServer, Answer, Answers, Question } from '../base/said';

/** Who has not answered by then is said to be silent, in milliseconds. */
const patienceMs = 3_000;

/** By the id of the server that has answered. */
export type ByNode<What extends Question['what']> = ReadonlyMap<string, Answers[What]>;

/**
 * @param missing ids of the servers that have not answered by the end
 * @param isLast whether nobody is waited for any longer
 */
export type Tell<What extends Question['what']> = (
  answers: ByNode<What>,
  missing: readonly string[],
  isLast: boolean,
) => void;

export class Asking {
  readonly #socket: Socket<AdminToPage, AdminToServer>;
  readonly #heard = new Map<number, (node: string, answer: Answer) => void>();
  #asked = 0;

  constructor(socket: Socket<AdminToPage, AdminToServer>) {
    this.#socket = socket;
    socket.on('answer', (id, node, answer) => this.#heard.get(id)?.(node, answer));
  }

  /**
   * @param tell called with each answer that comes, and once more when nobody is waited for any longer
   * @returns once that is so. Rejects with what the server says against it
   */
  async ask<What extends Question['what']>(
    question: Extract<Question, { what: What }>,
    tell: Tell<What>,
  ): Promise<void> {
    const id = ++this.#asked;
    const answers = new Map<string, Answers[What]>();
    let nodes: readonly string[] | undefined;
    let done = (): void => {};
    const over = new Promise<void>((resolve) => {
      done = resolve;
    });
    const isWhole = (): boolean => nodes?.every((node) => answers.has(node)) ?? false;
    this.#heard.set(id, (node, answer) => {
      answers.set(node, answer as Answers[What]);
      tell(answers, [], false);
      if (isWhole()) done();
    });
    const limit = setTimeout(done, patienceMs);
    try {
      nodes = await this.#socket.timeout(patienceMs).emitWithAck('ask', id, question);
      if (!isWhole()) await over;
      const missing = nodes.filter((node) => !answers.has(node));
      tell(answers, missing, true);
    } finally {
      clearTimeout(limit);
      this.#heard.delete(id);
    }
  }
}
