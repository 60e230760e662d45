// A bar plot as SVG: Halyard and its opponents beside their baseline, on a logarithmic scale.

export interface Bar {
  readonly group: string;
  readonly label: string;
  readonly ratio: number;
  readonly highlighted: boolean;
}

const size = { width: 760, row: 18, gap: 14, left: 250, right: 60, top: 46 } as const;
const colour = { own: '#0f766e', other: '#94a3b8', line: '#475569' } as const;

/** @returns an SVG document */
export function plot(title: string, bars: readonly Bar[]): string {
  const ratios = bars.map(({ ratio }) => ratio);
  const low = Math.min(0.5, ...ratios);
  const high = Math.max(2, ...ratios);
  const span = size.width - size.left - size.right;
  const x = (ratio: number) => size.left + (span * Math.log(ratio / low)) / Math.log(high / low);
  const parts: string[] = [];
  let y = size.top;
  let group = '';
  for (const bar of bars) {
    if (bar.group !== group) {
      if (group !== '') y += size.gap;
      group = bar.group;
      parts.push(text(8, y + 12, group, 'font-weight="600"'));
      y += size.row;
    }
    const from = Math.min(x(1), x(bar.ratio));
    const width = Math.max(1, Math.abs(x(bar.ratio) - x(1)));
    const fill = bar.highlighted ? colour.own : colour.other;
    parts.push(
      text(size.left - 8, y + 12, bar.label, 'text-anchor="end"'),
      `<rect x="${from.toFixed(1)}" y="${y + 2}" width="${width.toFixed(1)}" height="${size.row - 5}" fill="${fill}"/>`,
      text(Math.max(x(1), x(bar.ratio)) + 5, y + 12, bar.ratio.toFixed(2)),
    );
    y += size.row;
  }
  const height = y + 12;
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${size.width} ${height}" font-family="system-ui, sans-serif" font-size="12">`,
    `<rect width="${size.width}" height="${height}" fill="#ffffff"/>`,
    text(8, 20, title, 'font-size="14" font-weight="600"'),
    ...parts,
    `<line x1="${x(1)}" x2="${x(1)}" y1="${size.top - 8}" y2="${height - 8}" stroke="${colour.line}" stroke-dasharray="3 3"/>`,
    text(x(1), size.top - 12, 'baseline = 1', 'text-anchor="middle"'),
    '</svg>',
    '',
  ].join('\n');
}

function text(x: number, y: number, content: string, attributes = ''): string {
  const safe = content.replaceAll('&', '&amp;').replaceAll('<', '&lt;');
  return `<text x="${x.toFixed(1)}" y="${y}" fill="#0f172a" ${attributes}>${safe}</text>`;
}
