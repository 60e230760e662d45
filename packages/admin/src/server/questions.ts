// What is asked of this server about itself, by the page of any server of the cluster.
import { PublicError, type Value } from '@halyard/protocol';
import type { Inspection } from '@halyard/server';
import { fewOf } from '../base/few';
import type { Answer, Few, Question, SessionRow } from '../base/said';
import type { Problems } from './problems';
import { roomsOf } from './report';
import { type Describe, descriptionOf, detailsOf, rowOf } from './session-rows';

const rowsMax = 100;
const searchCharsMax = 256;
/** As the client is told of its end. */
const endedReason = 'disconnected by an operator';

export interface QuestionsContext {
  readonly inspection: Inspection;
  readonly problems: Problems;
  readonly describe: Describe;
  readonly isReadOnly: boolean;
}

export class Questions {
  readonly #context: QuestionsContext;

  constructor(context: QuestionsContext) {
    this.#context = context;
  }

  answer(question: Question): Answer {
    const { inspection, problems, describe, isReadOnly } = this.#context;
    switch (question.what) {
      case 'sessions':
        return this.#sessions(question.search);
      case 'rooms':
        return roomsOf(inspection, question.search, rowsMax);
      case 'session': {
        const session = inspection.session(question.id);
        return session === undefined ? null : detailsOf(session, describe);
      }
      case 'problems':
        return problems.list;
      case 'end': {
        // Each server goes by its own option.
        const session = isReadOnly ? undefined : inspection.session(question.id);
        session?.end(endedReason);
        return session !== undefined;
      }
    }
  }

  #sessions(search: string): Few<SessionRow> {
    const { inspection, describe } = this.#context;
    const row = (session: Parameters<typeof rowOf>[0]): SessionRow => rowOf(session, describe);
    const known = inspection.session(search);
    if (known !== undefined) return { rows: [row(known)], others: 0, isPartial: false };
    return fewOf(inspection.sessions(), {
      ...{ rowsMax, row, weight: () => 0 },
      isWanted: (session) =>
        search === '' ||
        session.id.includes(search) ||
        session.address.includes(search) ||
        session.sockets.some(({ id }) => id === search) ||
        descriptionOf(session, describe).includes(search),
    });
  }
}

/** @throws PublicError `ERR_INVALID` that names the rule */
export function questionOf(value: unknown): Question {
  const { what, search, id } = typeof value === 'object' && value !== null ? (value as Record<string, Value>) : {};
  if (what === 'problems') return { what };
  if (what === 'sessions' || what === 'rooms') {
    if (typeof search === 'string' && search.length <= searchCharsMax) return { what, search };
    throw new PublicError('ERR_INVALID', `question.search is a text of at most ${searchCharsMax} characters.`);
  }
  if (what === 'session' || what === 'end') {
    if (typeof id === 'string' && id !== '' && id.length <= searchCharsMax) return { what, id };
    throw new PublicError(
      'ERR_INVALID',
      `question.id is the id of a session, of at most ${searchCharsMax} characters.`,
    );
  }
  throw new PublicError('ERR_INVALID', 'question.what is "sessions", "rooms", "session", "problems" or "end".');
}
