// What users of another library type: where it is missing here, it is not undefined, but says what does it.
import { LocalUsageError } from './wire/errors';

/** By the name of a member that is missing: what does it here. */
export type MissingMembers = Readonly<Record<string, string>>;

/**
 * Who asks for what is not there is told: it throws `ERR_NO_SUCH_MEMBER`. What an app puts there by itself is the app's.
 * @param owner as whose member it is written
 */
export function answerMissing(prototype: object, owner: string, members: MissingMembers): void {
  for (const [name, answer] of Object.entries(members)) {
    Object.defineProperty(prototype, name, {
      configurable: true,
      get() {
        throw new LocalUsageError('ERR_NO_SUCH_MEMBER', `${owner}.${name} is not there: ${answer}.`);
      },
      set(value: unknown) {
        Object.defineProperty(this, name, { value, configurable: true, enumerable: true, writable: true });
      },
    });
  }
}
