// Who the tabs say they are: each is asked what to ask a namespace for with, until one answers.
import type { Clock } from '@halyard/protocol';
import type { AuthData } from '../session/presence';
import { errorOf, type Failure, type ToTab } from './messages';

/** A tab may be frozen: after so many milliseconds the next one is asked. */
const authMsMax = 5_000;

/** A tab, as far as it is asked. */
export interface AskedTab {
  /** It has not answered in time when it was asked last. */
  isSlow?: boolean;
  post(message: ToTab): void;
}

/** A namespace, as far as it is asked for. */
export interface AskedPlace {
  readonly namespace: string;
  /** Those that may be asked: first those that came first. */
  readonly members: ReadonlyMap<AskedTab, unknown>;
  /** What was presented last. */
  data?: AuthData;
  /** Asks one more, while somebody is asked. */
  askAlso?: ((tab: AskedTab) => void) | undefined;
}

interface Question {
  readonly tab: AskedTab;
  readonly place: AskedPlace;
  /** @param given what it has answered; undefined: it is gone */
  over(given: readonly [data: AuthData, failure: Failure | undefined] | undefined): void;
}

export interface Auths {
  /**
   * Asks one tab after the other. If none of them answers, it is what was said last, since with nothing it were somebody else; if nothing was
   * said yet, whoever answers first. Those that have not answered before are asked together.
   * Rejects with the error of the tab that answers
   */
  ask(place: AskedPlace): Promise<AuthData>;
  answered(number: number, data: AuthData, failure: Failure | undefined): void;
  /** One that comes later may be the only one that is awake. */
  joined(tab: AskedTab, place: AskedPlace): void;
  left(tab: AskedTab, place: AskedPlace): void;
}

export function createAuths(clock: Clock): Auths {
  const questions = new Map<number, Question>();
  let numbers = 0;

  const ask = (place: AskedPlace) =>
    new Promise<AuthData>((resolve, reject) => {
      const { namespace, members, data } = place;
      const waiting = [...members.keys()].sort((a, b) => Number(!!a.isSlow) - Number(!!b.isSlow));
      const open = new Set<number>();
      let cancel = () => {};
      const end = (given: AuthData, failure?: Failure) => {
        cancel();
        place.askAlso = undefined;
        for (const number of open) questions.delete(number);
        if (failure) reject(errorOf(failure));
        else resolve(given);
      };
      const next = () => {
        cancel();
        const tab = waiting.shift();
        if (!tab) {
          if (data || !open.size) end(data);
          return;
        }
        const number = ++numbers;
        open.add(number);
        questions.set(number, {
          tab,
          place,
          over(given) {
            questions.delete(number);
            open.delete(number);
            tab.isSlow = false;
            if (given) end(...given);
            else next();
          },
        });
        tab.post(['auth', number, namespace]);
        cancel = clock.after(waiting[0]?.isSlow ? 0 : authMsMax, () => {
          tab.isSlow = true;
          next();
        });
      };
      place.askAlso = (tab) => {
        waiting.push(tab);
        next();
      };
      next();
    });

  return {
    ask,
    answered: (number, data, failure) => questions.get(number)?.over([data, failure]),
    joined: (tab, place) => place.askAlso?.(tab),
    left(tab, place) {
      for (const question of [...questions.values()])
        if (question.tab === tab && question.place === place) question.over(undefined);
    },
  };
}
