// Who looks at servers by the namespace of the admin, as the page does.
import { connect, type HalyardError, type Socket } from '@halyard/client';
import type { AdminToPage, AdminToServer, Answers, Question, Report } from '../../packages/admin/src/base/said';

export const password = 'correct horse battery';

export type AdminSocket = Socket<AdminToPage, AdminToServer>;

export function visit(port: number, auth: Record<string, string> = { password }, headers = {}): AdminSocket {
  return connect(`http://127.0.0.1:${port}/halyard-admin`, {
    ...{ auth, transports: ['websocket'], extraHeaders: headers },
    reconnect: { delayMinMs: 1, delayMaxMs: 20 },
  });
}

/** @returns `connected`, or the code and the message of the refusal */
export async function entered(socket: AdminSocket): Promise<string> {
  return new Promise((resolve) => {
    socket.once('connect', () => resolve('connected'));
    socket.once('connect_error', (error: HalyardError) => resolve(`${error.code}: ${error.message}`));
  });
}

/** @returns the next report of each server */
export function reports(socket: AdminSocket, count = 1): Promise<Map<string, Report>> {
  return new Promise((resolve) => {
    const found = new Map<string, Report>();
    const take = (report: Report): void => {
      found.set(report.node, report);
      if (found.size < count) return;
      socket.off('report', take);
      resolve(found);
    };
    socket.on('report', take);
  });
}

let asked = 0;

/** @returns what each of so many servers answers. Rejects with what is said against it */
export async function ask<What extends Question['what']>(
  socket: AdminSocket,
  question: Extract<Question, { what: What }>,
  count = 1,
): Promise<Answers[What][]> {
  const id = ++asked;
  const answers: Answers[What][] = [];
  let done = (): void => {};
  const all = new Promise<void>((resolve) => {
    done = resolve;
  });
  const take: AdminToPage['answer'] = (its, _node, answer) => {
    if (its === id) answers.push(answer as Answers[What]);
    if (answers.length >= count) done();
  };
  socket.on('answer', take);
  try {
    await socket.emitWithAck('ask', id, question);
    await all;
    return answers;
  } finally {
    socket.off('answer', take);
  }
}
