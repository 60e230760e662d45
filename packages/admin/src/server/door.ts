// Who is let in: by the password, or by what the app's guard says. Asked when somebody enters, and again when a session comes back over
// another connection.
import { createHmac, randomBytes, scrypt, timingSafeEqual } from 'node:crypto';
import { PublicError } from '@halyard/protocol';
import type { Handshake, Socket } from '@halyard/server';
import { refusals } from '../base/said';
import { Attempts } from './attempts';
import { type CheckedOptions, type Guard, passwordChars } from './options';

/** Why somebody was let in, as it is stored with their session where servers share a store. */
export interface DoorData {
  /** What stands for the password, which is not stored itself. */
  key?: string;
}

type Entering = Handshake<DoorData>;

export interface Door {
  enter(handshake: Entering): void | Promise<void>;
  comeBack(socket: Pick<Socket, 'handshake'>): void | Promise<void>;
}

/** @param now in milliseconds */
export function doorOf({ password, guard }: CheckedOptions, now: () => number): Door {
  return password === undefined ? new GuardedDoor(guard as Guard) : new PasswordDoor(password, now);
}

class GuardedDoor implements Door {
  readonly #guard: Guard;

  constructor(guard: Guard) {
    this.#guard = guard;
  }

  async enter(handshake: Entering): Promise<void> {
    if ((await this.#guard(handshake as Handshake)) === false)
      throw new PublicError(refusals.guard, 'You may not look at this server: its guard says so.');
  }

  comeBack({ handshake }: Pick<Socket, 'handshake'>): Promise<void> {
    return this.enter(handshake as Entering);
  }
}

class PasswordDoor implements Door {
  readonly #attempts: Attempts;
  readonly #mac = randomBytes(32);
  readonly #expected: Buffer;
  readonly #key: Promise<string>;

  constructor(password: string, now: () => number) {
    this.#attempts = new Attempts(now);
    this.#expected = this.#digest(password);
    this.#key = keyOf(password);
  }

  async enter(handshake: Entering): Promise<void> {
    const { address, auth } = handshake;
    const { password } = auth;
    // What is left in it is stored with the session, where servers share a store.
    delete (auth as Record<string, unknown>).password;
    const waitMs = this.#attempts.waitMs(address);
    if (waitMs > 0) {
      const seconds = Math.ceil(waitMs / 1_000);
      const message = `Too many wrong passwords from your address: none is looked at for ${seconds} more seconds.`;
      throw new PublicError(refusals.attempts, message, { waitMs });
    }
    if (password === undefined || password === '') {
      throw new PublicError(refusals.password, 'This namespace is entered with the password: auth: { password }.');
    }
    if (typeof password !== 'string' || password.length > passwordChars.max || !this.#is(password)) {
      this.#attempts.failed(address);
      throw new PublicError(refusals.password, 'The password is another one.');
    }
    this.#attempts.succeeded(address);
    handshake.data.key = await this.#key;
  }

  /** Another server may have let it in, with a password that is not good any more. */
  async comeBack({ handshake }: Pick<Socket, 'handshake'>): Promise<void> {
    const { key } = handshake.data as DoorData;
    if (typeof key === 'string' && equal(Buffer.from(key), Buffer.from(await this.#key))) return;
    throw new PublicError(refusals.password, 'The password is another one by now.');
  }

  #is(password: string): boolean {
    return timingSafeEqual(this.#digest(password), this.#expected);
  }

  /** Of the same length whatever the password, and of no use to anybody else. */
  #digest(password: string): Buffer {
    return createHmac('sha256', this.#mac).update(password).digest();
  }
}

/** The same on every server that has the same password, and slow to guess from. */
function keyOf(password: string): Promise<string> {
  return new Promise((resolve, reject) => {
    scrypt(password, 'halyard-admin', 24, (error, key) => (error ? reject(error) : resolve(key.toString('base64url'))));
  });
}

function equal(a: Buffer, b: Buffer): boolean {
  return a.length === b.length && timingSafeEqual(a, b);
}
