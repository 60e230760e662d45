import { defineConfig } from 'tsup';

// Out of the sources, so that nothing else has to be built first.
export default defineConfig({
  entry: ['test/hostile/run.ts', 'test/hostile/server.ts', 'test/hostile/clients.ts'],
  outDir: 'test/hostile/dist',
  format: 'esm',
  target: 'es2022',
  platform: 'node',
  clean: true,
  noExternal: [/^@halyard\//, /^msgpackr/],
  external: ['uWebSockets.js', 'ws', 'tsup'],
  esbuildOptions(options) {
    options.conditions = ['@halyard/source', 'node', 'import', 'module', 'default'];
    options.banner = {
      js: "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);",
    };
  },
});
