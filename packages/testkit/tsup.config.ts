import { defineConfig } from 'tsup';

export default defineConfig({
  entry: ['src/index.ts'],
  format: 'esm',
  target: 'es2022',
  platform: 'node',
  // The virtual clock, the random numbers and the links are those of our own tests, which are not published.
  noExternal: ['@halyard/harness'],
  dts: true,
  sourcemap: true,
  clean: true,
});
