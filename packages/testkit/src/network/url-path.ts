// Where on a server a URL leads.

/** @returns the path of a URL; Halyard's own if there is none */
export function pathOf(url: string): string {
  return /^https?:\/\/[^/]+(\/[^?#]*)$/.exec(url)?.[1] ?? '/halyard';
}
