// Text of others on a terminal of ours: without what a terminal would obey.

/** @returns the text with control characters, but for line ends, as people can read them */
export function plain(text: string): string {
  return text.replaceAll(/[^\P{Cc}\n]/gu, (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`);
}
