// Text of others on a terminal of ours: without what a terminal would obey.

/** @returns a value in one line of JSON, or indented, in which what a terminal would obey is escaped: JSON itself leaves out 0x7f to 0x9f */
export function jsonOf(value: unknown, indent?: number): string {
  return JSON.stringify(value, undefined, indent).replaceAll(/[\x7f-\x9f]/g, escaped);
}

/** @returns the text with control characters, but for line ends, as people can read them */
export function plain(text: string): string {
  return text.replaceAll(/[^\P{Cc}\n]/gu, escaped);
}

function escaped(char: string): string {
  return `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`;
}
