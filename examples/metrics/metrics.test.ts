// The dashboard asks for metrics that there are, by labels that these have, and shows each of them; the server of the example has them.
import { readFileSync } from 'node:fs';
import { expect, test, vi } from 'vitest';

interface Dashboard {
  readonly panels: readonly {
    readonly title: string;
    readonly targets?: readonly { readonly expr: string; readonly legendFormat: string }[];
  }[];
  readonly templating: { readonly list: readonly { readonly query: unknown }[] };
}

const text = readFileSync(new URL('./dashboard.json', import.meta.url), 'utf8');
const dashboard = JSON.parse(text) as Dashboard;
const queries = dashboard.panels.flatMap(({ targets }) => targets ?? []);

test('the server of the example has every metric that the dashboard names, and the dashboard shows every one that it has', async () => {
  vi.stubEnv('PORT', '0');
  const { io } = await import('./src/server');
  try {
    const get = (path: string): Promise<Response> => fetch(`http://127.0.0.1:${io.port}${path}`);
    expect((await get('/readyz')).status).toBe(200);
    const metrics = await (await get('/metrics')).text();
    const types = new Map([...metrics.matchAll(/^# TYPE (\w+) (\w+)$/gm)].map(([, name, type]) => [name, type]));
    expect([...types.keys()].sort()).toEqual(
      io
        .metrics()
        .map(({ name }) => name)
        .sort(),
    );
    const asked = new Set<string>();
    for (const [name] of text.matchAll(/\bhalyard_\w+/g)) {
      const base = types.has(name) ? name : name.replace(/_(bucket|sum|count)$/, '');
      expect(base === name || types.get(base) === 'histogram', name).toBe(true);
      asked.add(base);
    }
    expect([...asked].sort()).toEqual([...types.keys()].sort());
  } finally {
    await io.close();
    vi.unstubAllEnvs();
  }
});

test('what a legend names is what the query keeps', () => {
  for (const { expr, legendFormat } of queries) {
    const kept = /by \(([^)]*)\)/.exec(expr)?.[1]?.split(', ') ?? [];
    for (const [, label] of legendFormat.matchAll(/\{\{(\w+)\}\}/g)) expect(kept, legendFormat).toContain(label);
  }
});
