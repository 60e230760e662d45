import { defineConfig } from 'tsup';

// Out of the sources, so that nothing else has to be built first.
export default defineConfig({
  entry: ['test/chaos/run.ts', 'test/chaos/clients.ts'],
  outDir: 'test/chaos/dist',
  format: 'esm',
  target: 'es2022',
  platform: 'node',
  clean: true,
  noExternal: [/^@halyard\//, /^msgpackr/, /^protobufjs/, /^@protobufjs/],
  external: ['uWebSockets.js', 'ws', 'tsup'],
  esbuildOptions(options) {
    options.conditions = ['@halyard/source', 'node', 'import', 'module', 'default'];
    // protobufjs is CommonJS.
    options.banner = {
      js: "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);",
    };
  },
});
