/** @returns the number that an option of a command has. @throws Error that says what it takes */
export function wholeNumber(option: string, text: string, min: number, max: number): number {
  const number = Number(text);
  if (Number.isInteger(number) && number >= min && number <= max) return number;
  throw new Error(`${option} takes a whole number from ${min} to ${max}, not "${text}"`);
}
