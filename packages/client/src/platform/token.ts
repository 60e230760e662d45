// Where a name for a session comes from that nobody can guess.

/**
 * Where there is no source of secrets, as in React Native without a polyfill, the token is one that somebody may guess who
 * knows other numbers of `random`. All they could have by it is a session whose WELCOME its client has not answered yet:
 * the secret of the session itself comes from the server.
 */
export function randomToken(random: () => number): string {
  return `${globalThis.crypto?.getRandomValues?.(new Uint32Array(4)) ?? [1, 2, 3, 4, 5].map(random)}`;
}
