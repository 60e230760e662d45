// What names and texts may be. The page uses these rules to help its user, the server to protect itself.

export const limits = { nameCharsMax: 32, roomCharsMax: 32, textCharsMax: 2_000, roomsPerPersonMax: 20, roomsMax: 200 };

/** What to tell a person whose input breaks a rule. */
export const rules = {
  name: `A name has 1 to ${limits.nameCharsMax} characters.`,
  room: `The name of a room has 1 to ${limits.roomCharsMax} characters.`,
  text: `A message has 1 to ${limits.textCharsMax} characters.`,
};

export const lobby = 'lobby';

/** Control characters, and those that turn the direction of the text around them. */
const unwanted = /[\p{Cc}\u202a-\u202e\u2066-\u2069]/gu;

/** @returns the name of a person or a room as it is shown, or undefined if it cannot be one */
export function nameFrom(value: unknown, charsMax: number): string | undefined {
  if (typeof value !== 'string') return undefined;
  const name = value.replace(unwanted, ' ').replace(/\s+/g, ' ').trim();
  return name.length > 0 && name.length <= charsMax ? name : undefined;
}

/** @returns the text of a message, or undefined if it cannot be one */
export function textFrom(value: unknown): string | undefined {
  if (typeof value !== 'string') return undefined;
  const text = value.trim();
  return text.length > 0 && text.length <= limits.textCharsMax ? text : undefined;
}
