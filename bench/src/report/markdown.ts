// The report: tables of ratios, the machine, and how to take the numbers again, between two markers of a document
// whose other words it leaves alone.

import { isNoisy, noiseBound, spread } from '../base/ratios';
import { type FigureResult, ratioOf, valuesOf } from '../measure/figures';
import type { Row } from '../measure/rounds';
import type { Size } from '../measure/sizes';
import type { Workload } from '../workloads/workload';
import type { Bar } from './plot';
import type { Results } from './results';

/** What stands before and behind a section. */
interface Markers {
  readonly begin: string;
  readonly end: string;
}

const markers: Markers = {
  begin: '<!-- bench: begin, written by `npm run bench` -->',
  end: '<!-- bench: end -->',
};

export const clusterMarkers: Markers = {
  begin: '<!-- bench of a cluster: begin, written by `npm run bench -- --cluster` -->',
  end: '<!-- bench of a cluster: end -->',
};

/** Puts the section between the markers, or after the text if it has none. */
export function intoDocument(document: string, section: string, { begin, end } = markers): string {
  const marked = `${begin}\n${section.trim()}\n${end}`;
  const from = document.indexOf(begin);
  const to = document.indexOf(end);
  if (from < 0 || to < from) return `${document.trimEnd()}\n\n${marked}\n`.trimStart();
  return document.slice(0, from) + marked + document.slice(to + end.length);
}

/** @param plotFile the plot's name, beside the document */
export function section(results: Results, plotFile: string): string {
  return [
    ...machineLines(results, 'npm run bench'),
    '',
    `![Cost beside the baseline of each workload](${plotFile})`,
    '',
    '### Figures with a ceiling',
    '',
    ...figureTable(results.figures),
    '',
    '### All workloads',
    '',
    ...results.workloads.flatMap((workload) => [...workloadTable(workload, results.rows), '']),
    ...(results.sizes.length === 0 ? [] : ['### Size of the browser client', '', ...sizeTable(results.sizes), '']),
  ].join('\n');
}

/** On what it was taken, and how. @param command that takes it again */
export function machineLines({ machine, rounds, windowMs, cluster }: Results, command: string): string[] {
  const libraries = Object.entries(machine.libraries).map(
    ([name, version]) => `${name} ${version.replace('npm:', 'as ')}`,
  );
  const memory = `${machine.processors} processors, ${machine.memoryGiB} GiB`;
  return [
    `Taken ${machine.date} on ${machine.processor} (${memory}), ${machine.system}, Node ${machine.node}; load before the run`,
    `${machine.loadBefore.toFixed(2)}. ${rounds} rounds with windows of ${windowMs} ms${cluster ? '' : ', cut into slices'} that take turns; ratios are taken within each round. A row whose`,
    `rounds differ by more than ${noiseBound * 100} % of the median is called noisy: in its ratio, the baseline in what it took. Server and load share the machine, so the cost is the`,
    `server's own processor time. To take them again: \`${command}\`.`,
    '',
    `With ${libraries.join(', ')}.`,
  ];
}

export function figureTable(figures: readonly FigureResult[]): string[] {
  return [
    '| name | figure | at most | median | min | max | |',
    '|---|---|---|---|---|---|---|',
    ...figures.map((figure) => {
      const { name, title, atMost, spread: result, noisy, failure } = figure;
      if (result === undefined) return `| \`${name}\` | ${title} | ${atMost} | – | – | – | failed: ${cell(failure)} |`;
      const verdict = result.median <= atMost ? 'holds' : '**above**';
      const note = noisy ? `${verdict}, noisy` : verdict;
      const numbers = [result.median, result.min, result.max].map(short).join(' | ');
      return `| \`${name}\` | ${title} | ${atMost} | ${numbers} | ${note} |`;
    }),
  ];
}

export function workloadTable(workload: Workload, rows: readonly Row[]): string[] {
  const own = rows.filter((row) => row.workload === workload.name);
  if (own.length === 0) return [];
  const [first] = workload.subjects;
  const baseline = own.find(({ subject }) => subject === first);
  return [
    `**${workload.name}**: ${workload.title}`,
    '',
    `| subject | ${workload.unit} | ratio | min | max | more |`,
    '|---|---|---|---|---|---|',
    ...own.map((row) => {
      const values = valuesOf(row).filter((value) => value !== undefined);
      if (values.length === 0) return `| ${row.subject} | – | – | – | – | failed: ${cell(row.failure)} |`;
      const against = ratioOf(row, baseline);
      const result = against.length === 0 ? undefined : spread(against);
      const numbers = result === undefined ? ['–', '–', '–'] : [result.median, result.min, result.max].map(short);
      // The baseline's ratio is always 1, so that its noise shows in what it took.
      const varies = row === baseline ? undefined : result;
      const notes = [
        ...details(row),
        ...(isNoisy(varies ?? spread(values)) ? ['noisy'] : []),
        ...(row.failure === undefined ? [] : [`failed later: ${cell(row.failure)}`]),
      ];
      return `| ${row.subject} | ${short(spread(values).median)} | ${numbers.join(' | ')} | ${notes.join(', ')} |`;
    }),
  ];
}

function sizeTable(sizes: readonly Size[]): string[] {
  return [
    '| part | min | min + gzip |',
    '|---|---|---|',
    ...sizes.map(({ name, minBytes, gzipBytes, failure }) =>
      failure === undefined ? `| ${name} | ${minBytes} | ${gzipBytes} |` : `| ${name} | – | failed: ${cell(failure)} |`,
    ),
  ];
}

/** Medians of what else the windows told. */
function details(row: Row): string[] {
  const samples = row.samples.filter((sample) => sample !== undefined);
  return Object.keys(samples[0]?.details ?? {}).map((name) => {
    const median = spread(samples.map((sample) => sample.details[name] ?? Number.NaN)).median;
    return `${name} ${short(median)}`;
  });
}

/** One bar for each subject that has a ratio, workload by workload. */
export function barsOf(results: Results): Bar[] {
  return results.workloads.flatMap((workload) => {
    const own = results.rows.filter((row) => row.workload === workload.name);
    const baseline = own.find(({ subject }) => subject === workload.subjects[0]);
    return own.flatMap((row) => {
      const against = ratioOf(row, baseline);
      if (row === baseline || against.length === 0) return [];
      const highlighted = row.subject.startsWith('halyard');
      return [{ group: workload.title, label: row.subject, ratio: spread(against).median, highlighted }];
    });
  });
}

export function short(number: number): string {
  const magnitude = Math.abs(number);
  return magnitude >= 100 ? String(Math.round(number)) : magnitude >= 10 ? number.toFixed(1) : number.toFixed(2);
}

function cell(text: string | undefined): string {
  return (text ?? 'unknown').replaceAll('|', '\\|').replaceAll('\n', ' ').slice(0, 200);
}
