// What a run came to: a row for each combination, and the first faults with what came before and after them.
import type { Fault, FaultKind } from './checker';
import type { Outcome } from './round';

/** A combination's rounds, added up. */
export interface Row {
  readonly name: string;
  readonly outcomes: readonly Outcome[];
}

const faultsShownMax = 5;

const columns: readonly (readonly [title: string, of: (row: Row) => string])[] = [
  ['combination', ({ name }) => name],
  ['s', ({ outcomes }) => total(outcomes, ({ seconds }) => seconds).toFixed(0)],
  ['cuts', count(({ cuts }) => cuts)],
  ['stalls', count(({ stalls }) => stalls)],
  ['longer than the heartbeat', count(({ longStalls }) => longStalls)],
  ['at 2 KB/s', count(({ crawls }) => crawls)],
  ['half-opens', count(({ halfOpens }) => halfOpens)],
  ['requests lost', count(({ requestsLost }) => requestsLost)],
  ['answers lost', count(({ answersLost }) => answersLost)],
  ['requests doubled', count(({ requestsDoubled }) => requestsDoubled)],
  ['held back', count(({ delays }) => delays)],
  ['resumes', count(({ resumes }) => resumes)],
  ['recovered', count(({ recovered }) => recovered)],
  ['switches', count(({ switches }) => switches)],
  ['told not recovered', ({ outcomes }) => reasons(outcomes)],
  ['deliveries', count(({ deliveries }) => deliveries)],
  ['events handled', count(({ handled }) => handled)],
  ['told losses', count(({ toldLosses }) => toldLosses)],
  ['lost', faultCount('lost')],
  ['doubled', faultCount('doubled')],
  ['reordered', faultCount('reordered')],
  ['misdelivered', faultCount('misdelivered')],
  ['other faults', faultCount('untold', 'unanswered', 'broken')],
];

/** @returns a table in Markdown, the last row of which is the sum */
export function table(rows: readonly Row[]): string {
  const all: Row = { name: 'all', outcomes: rows.flatMap(({ outcomes }) => outcomes) };
  const lines = [columns.map(([title]) => title), columns.map((_, i) => (i === 0 ? '---' : '--:'))];
  for (const row of [...rows, all]) lines.push(columns.map(([, of]) => of(row)));
  return lines.map((cells) => `| ${cells.join(' | ')} |`).join('\n');
}

/** @returns why the run of a combination has failed, or has tested nothing; empty if neither */
export function failuresOf({ name, outcomes }: Row): string[] {
  const faults = outcomes.flatMap((outcome) => outcome.faults);
  const failures: string[] = [];
  if (faults.length > 0) failures.push(`${name}: ${faults.length} faults, of which the first are\n${describe(faults)}`);
  if (total(outcomes, ({ deliveries }) => deliveries) === 0) failures.push(`${name}: nothing was delivered`);
  if (total(outcomes, ({ cuts }) => cuts) === 0) failures.push(`${name}: nothing was cut`);
  if (/sse|polling/.test(name) && total(outcomes, ({ requestsDoubled }) => requestsDoubled) === 0) {
    failures.push(`${name}: no request came twice`);
  }
  // A polling connection outlives the TCP connections under it: a short run may see no resume.
  if (name.includes('websocket') && total(outcomes, ({ resumes }) => resumes) === 0) {
    failures.push(`${name}: no session was resumed`);
  }
  return failures;
}

/** @returns the first faults, one of each kind at least */
export function describe(faults: readonly Fault[]): string {
  const firsts = faults.filter(({ kind }, i) => faults.findIndex((other) => other.kind === kind) === i);
  const shown = [...new Set([...faults.slice(0, faultsShownMax), ...firsts])];
  return shown
    .map(({ kind, who, text, context }) =>
      [`  ${kind}: ${who}: ${text}`, ...context.map((line) => `      ${line}`)].join('\n'),
    )
    .join('\n');
}

function total(outcomes: readonly Outcome[], of: (outcome: Outcome) => number): number {
  return outcomes.reduce((sum, outcome) => sum + of(outcome), 0);
}

function count(of: (outcome: Outcome) => number): (row: Row) => string {
  return ({ outcomes }) => total(outcomes, of).toLocaleString('en');
}

function faultCount(...kinds: FaultKind[]): (row: Row) => string {
  return count(({ faults }) => faults.filter(({ kind }) => kinds.includes(kind)).length);
}

function reasons(outcomes: readonly Outcome[]): string {
  const sums = new Map<string, number>();
  for (const { told } of outcomes) {
    for (const [reason, times] of told) {
      const code = reason.split(':', 1)[0] ?? '';
      sums.set(code, (sums.get(code) ?? 0) + times);
    }
  }
  return [...sums].map(([reason, times]) => `${reason || 'no reason'} ${times}`).join(', ') || '0';
}
