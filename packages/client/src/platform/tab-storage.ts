// What a tab keeps over a reload of its page, where there is such a thing, and as far as the page may use it.

/** @returns a list that was kept; an empty one if there is none */
export function recall(key: string): readonly unknown[] {
  try {
    return [...JSON.parse(sessionStorage.getItem(key)!)];
  } catch {
    return [];
  }
}

export function keep(key: string, list: readonly unknown[]): void {
  try {
    sessionStorage.setItem(key, JSON.stringify(list));
  } catch {}
}

/** @returns the text that is kept, if there is one */
export function readText(key: string): string | undefined {
  try {
    return sessionStorage.getItem(key) ?? undefined;
  } catch {
    return undefined;
  }
}

/** @returns the text that was kept, if there is one, which is kept no more: nobody else takes it */
export function takeText(key: string): string | undefined {
  const text = readText(key);
  if (text !== undefined) sessionStorage.removeItem(key);
  return text;
}

/** @returns whether it is kept: there may be no room for it */
export function keepText(key: string, text: string): boolean {
  try {
    sessionStorage.setItem(key, text);
    return true;
  } catch {
    return false;
  }
}
