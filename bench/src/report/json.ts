// The results for programs: what `--json FILE` writes.
import type { Results } from './results';

/**
 * @returns `{ figures: { <name>: { median, min, max } }, noisy: <names>, failures: { <name>: <why> }, machine, rows, sizes }`
 * as text; a figure without a number is in `failures` only
 */
export function jsonOf({ figures, machine, rows, sizes }: Results): string {
  const content = {
    figures: Object.fromEntries(figures.flatMap(({ name, spread }) => (spread === undefined ? [] : [[name, spread]]))),
    noisy: figures.filter(({ noisy }) => noisy).map(({ name }) => name),
    failures: Object.fromEntries(
      figures.flatMap(({ name, failure }) => (failure === undefined ? [] : [[name, failure]])),
    ),
    machine,
    rows,
    sizes,
  };
  return `${JSON.stringify(content, undefined, 2)}\n`;
}
