import { defineConfig } from 'tsup';

// Out of the sources, so that nothing else has to be built first.
export default defineConfig({
  entry: ['test/soak/run.ts', 'test/soak/server.ts'],
  outDir: 'test/soak/dist',
  format: 'esm',
  target: 'es2022',
  platform: 'node',
  clean: true,
  noExternal: [/^@halyard\//, /^msgpackr/],
  external: ['uWebSockets.js', 'ws', 'tsup', 'ioredis'],
  esbuildOptions(options) {
    options.conditions = ['@halyard/source', 'node', 'import', 'module', 'default'];
    options.banner = {
      js: "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);",
    };
  },
});
