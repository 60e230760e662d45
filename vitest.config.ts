import { defineConfig } from 'vitest/config';

// Tests run against the sources; test/e2e runs against what was built.
const conditions = ['@halyard/source', 'node', 'import', 'module', 'default'];

// What takes long, by `npm run test:long`: a thousand clients at once, the rest of the proxies, and reloads in a browser.
const long = [
  'test/conformance/storm.test.ts',
  'test/proxies/!(transports).test.ts',
  'test/e2e/proxied.test.ts',
  'test/e2e/reload.test.ts',
];
// biome-ignore lint/suspicious/noUndeclaredEnvVars: no task of turbo runs the tests.
const isLong = process.env.HALYARD_LONG !== undefined;

export default defineConfig({
  resolve: { conditions },
  ssr: { resolve: { conditions } },
  test: {
    include: ['packages/*/src/**/*.test.ts', 'examples/**/*.test.ts', 'bench/**/*.test.ts', 'test/**/*.test.ts'],
    exclude: ['**/node_modules/**', '**/dist/**', ...(isLong ? [] : long)],
    typecheck: { enabled: false },
    // Most of them wait most of the time.
    maxWorkers: 3,
    // Far above what anything here takes: they end what hangs.
    testTimeout: 120_000,
    hookTimeout: 120_000,
    expect: { poll: { timeout: 30_000 } },
  },
});
