import { defineConfig } from 'tsup';

// Out of the sources, so that nothing else has to be built first; libraries of codecs too, whose blocks count as well.
export default defineConfig({
  entry: ['test/fuzz/run.ts'],
  outDir: 'test/fuzz/dist',
  format: 'esm',
  target: 'es2022',
  platform: 'node',
  clean: true,
  noExternal: [/^@halyard\//, /^msgpackr/, /^@msgpack/, /^protobufjs/, /^@protobufjs/],
  external: ['uWebSockets.js', 'ws', 'tsup', 'fast-check', 'ioredis'],
  esbuildOptions(options) {
    options.conditions = ['@halyard/source', 'node', 'import', 'module', 'default'];
    // protobufjs is CommonJS.
    options.banner = {
      js: "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);",
    };
  },
});
