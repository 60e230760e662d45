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
