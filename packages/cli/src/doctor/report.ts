// What a visit has found, for people: a line for each finding, and then what to do.
import { plain } from '../base/plain';
import type { Style } from '../base/style';
import type { Finding, Level } from './check';
import type { Diagnosis } from './diagnose';

const marks: Readonly<Record<Level, string>> = { ok: 'ok', note: 'note', warning: 'warning', fault: 'FAULT' };
const colours = { ok: 'green', note: 'blue', warning: 'yellow', fault: 'red' } as const;

const markChars = 9;
const checkChars = 11;

export function lineOf({ level, check, message }: Finding, style: Style): string {
  return `${style[colours[level]](marks[level].padEnd(markChars))}${check.padEnd(checkChars)}${plain(message)}`;
}

/** @returns how it is in a sentence, and what to do about what is not as it should be */
export function summaryOf({ findings, left }: Diagnosis, style: Style): string {
  const count = (level: Level): number => findings.filter((finding) => finding.level === level).length;
  const faults = many(count('fault'), 'fault');
  const warnings = many(count('warning'), 'warning');
  const lines = [
    '',
    style.bold(count('fault') + count('warning') === 0 ? 'Nothing is wrong.' : `${faults}, ${warnings}.`),
  ];
  for (const level of ['fault', 'warning', 'note'] as const) {
    for (const finding of findings.filter((one) => one.level === level && one.advice.length > 0)) {
      lines.push('', `${style[colours[level]](finding.check)}  ${plain(finding.message)}`);
      for (const line of finding.advice) lines.push(`  ${plain(line)}`);
    }
  }
  if (left.length > 0) lines.push('', `Not looked at, because of the above: ${left.join(', ')}.`);
  return lines.join('\n');
}

function many(count: number, what: string): string {
  return `${count === 0 ? 'no' : count} ${what}${count === 1 ? '' : 's'}`;
}
