import { defineConfig } from 'tsup';

export default defineConfig({
  entry: { worker: 'test/e2e/tabs/worker.ts', page: 'test/e2e/tabs/page.ts' },
  outDir: 'test/e2e/tabs/dist',
  format: 'esm',
  target: 'es2022',
  platform: 'browser',
  noExternal: [/./],
  splitting: false,
  esbuildOptions: (options) => {
    options.conditions = ['@halyard/source'];
  },
});
