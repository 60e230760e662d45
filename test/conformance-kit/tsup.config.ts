import { defineConfig } from 'tsup';

// Out of the sources, so that nothing else has to be built first.
export default defineConfig({
  entry: ['test/conformance-kit/run.ts', 'test/conformance-kit/our-client.ts'],
  outDir: 'test/conformance-kit/dist/kit',
  format: 'esm',
  target: 'es2022',
  platform: 'node',
  clean: true,
  noExternal: [/^@halyard\//, /^@msgpack/, 'msgpackr', 'protobufjs'],
  external: ['uWebSockets.js', 'ws'],
  esbuildOptions(options) {
    options.conditions = ['@halyard/source', 'node', 'import', 'module', 'default'];
    options.banner = {
      js: "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);",
    };
  },
});
