// What `<name>` stands for in a transcript: bound where it is first seen, the same from there on, and unlike any other.

export class Names {
  readonly #values = new Map<string, string>();

  /** @returns the text with every name replaced. @throws Error if one was not seen yet */
  fill(text: string): string {
    return text.replace(/<([\w-]+)>/g, (_text, name: string) => {
      const value = this.#values.get(name);
      if (value === undefined) throw new Error(`<${name}> is sent before it was seen`);
      return value;
    });
  }

  /** @throws Error unless `actual` is what the transcript says */
  match(expected: unknown, actual: unknown, where: string): void {
    const name = typeof expected === 'string' ? /^<([\w-]+)>$/.exec(expected)?.[1] : undefined;
    if (name !== undefined) this.#bind(name, actual, where);
    else if (Array.isArray(expected) && Array.isArray(actual) && expected.length === actual.length) {
      for (const [i, item] of expected.entries()) this.match(item, actual[i], where);
    } else if (JSON.stringify(expected) !== JSON.stringify(actual)) {
      throw new Error(`${where}: there came ${JSON.stringify(actual)}, not ${JSON.stringify(expected)}`);
    }
  }

  #bind(name: string, actual: unknown, where: string): void {
    if (typeof actual !== 'string' || actual === '') {
      throw new Error(`${where}: <${name}> cannot be ${JSON.stringify(actual)}`);
    }
    const bound = this.#values.get(name);
    if (bound !== undefined && bound !== actual) throw new Error(`${where}: <${name}> was ${bound}, and is ${actual}`);
    if (bound === undefined && [...this.#values.values()].includes(actual)) {
      throw new Error(`${where}: <${name}> is ${actual}, which has another name`);
    }
    this.#values.set(name, actual);
  }
}
