// What a case expects, held against what came. `"<name>"` is any value where it is first seen, and the same one from there on;
// `"*"` is any value; the rest is itself. Nothing of Halyard's code judges here: only docs/PROTOCOL.md §4 does.
import { randomBytes } from 'node:crypto';

/** How many fields of each packet version 1 knows: what is behind them is ignored (docs/PROTOCOL.md §4, §16). */
const fieldsOf: Readonly<Record<number, number>> = { ...[6, 7, 4, 2, 4, 4, 3, 2, 2, 2, 2, 3, 4, 2, 0, 3], 64: 2 };

export class Names {
  readonly #values = new Map<string, unknown>();

  bind(name: string, value: unknown): void {
    this.#values.set(name, value);
  }

  /** @returns a copy with every name replaced by its value. One that begins with `fresh` is made up where it is first used. */
  fill<T>(given: T): T {
    if (typeof given === 'string') return this.#fillText(given) as T;
    if (Array.isArray(given)) return given.map((item) => this.fill(item)) as T;
    if (typeof given !== 'object' || given === null) return given;
    return Object.fromEntries(Object.entries(given).map(([key, item]) => [this.fill(key), this.fill(item)])) as T;
  }

  #fillText(text: string): unknown {
    const whole = nameOf(text);
    if (whole !== undefined) return this.#valueOf(whole);
    return text.replace(/<([\w.-]+)>/g, (_text, name: string) => String(this.#valueOf(name)));
  }

  #valueOf(name: string): unknown {
    if (!this.#values.has(name)) {
      if (!name.startsWith('fresh')) throw new Error(`the case uses <${name}> before it was seen`);
      this.#values.set(name, randomBytes(12).toString('hex'));
    }
    return this.#values.get(name);
  }

  /** @throws Error that says what came instead */
  match(expected: unknown, actual: unknown, where: string): void {
    if (expected === '*') return;
    const name = typeof expected === 'string' ? nameOf(expected) : undefined;
    if (name !== undefined && !this.#values.has(name) && !name.startsWith('fresh')) {
      if (actual === undefined || actual === null) throw wrong(where, `<${name}>`, actual);
      this.#values.set(name, actual);
      return;
    }
    const filled = name === undefined ? expected : this.#valueOf(name);
    if (Array.isArray(filled) && Array.isArray(actual)) {
      // What may be anything may be absent at the end.
      const isWhole = actual.length <= filled.length && filled.slice(actual.length).every((item) => item === '*');
      if (!isWhole) throw wrong(where, this.#shown(filled), actual);
      for (const [i, item] of filled.entries()) this.match(item, actual[i], `${where}[${i}]`);
    } else if (isObject(filled) && isObject(actual)) {
      const keys = [...new Set([...Object.keys(filled), ...Object.keys(actual)])];
      for (const key of keys) this.match(filled[key], actual[key], `${where}.${key}`);
    } else if (typeof filled === 'string' && name === undefined) {
      if (this.fill(filled) !== actual) throw wrong(where, this.fill(filled), actual);
    } else if (!Object.is(filled, actual)) throw wrong(where, filled, actual);
  }

  /** Fields that are left out are as null; known ones that are not expected MUST be absent, unknown ones are ignored. */
  matchFrame(expected: readonly unknown[], actual: readonly unknown[]): void {
    const known = fieldsOf[expected[0] as number] ?? expected.length - 1;
    const where = JSON.stringify(actual).slice(0, 300);
    for (let i = 0; i <= Math.max(known, expected.length - 1); i++) {
      const field = i < expected.length ? expected[i] : undefined;
      if (isAbsent(field) && isAbsent(actual[i])) continue;
      this.match(field ?? null, actual[i] ?? null, `in ${where}, field ${i}`);
    }
  }

  /** An object that has at least what is expected. */
  matchPart(expected: Readonly<Record<string, unknown>>, actual: Readonly<Record<string, unknown>>): void {
    const where = JSON.stringify(actual).slice(0, 300);
    for (const [key, item] of Object.entries(expected)) this.match(item, actual[key], `in ${where}, ${key}`);
  }

  /** Whether it matches; names are bound only if it does. */
  matches(compare: (names: Names) => void): boolean {
    const attempt = new Names();
    for (const [name, value] of this.#values) attempt.bind(name, value);
    try {
      compare(attempt);
    } catch {
      return false;
    }
    compare(this);
    return true;
  }

  #shown(expected: unknown): unknown {
    try {
      return this.fill(expected);
    } catch {
      return expected;
    }
  }
}

const nameOf = (text: string): string | undefined => /^<([\w.-]+)>$/.exec(text)?.[1];
const isAbsent = (field: unknown): boolean => field === undefined || field === null || field === '';
const isObject = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null;

function wrong(where: string, expected: unknown, actual: unknown): Error {
  return new Error(`${where}: there came ${JSON.stringify(actual)}, not ${JSON.stringify(expected)}`);
}
