import { defineConfig } from 'tsup';

export default defineConfig({
  entry: ['src/msgpack.ts', 'src/msgpack-browser.ts'],
  format: 'esm',
  target: 'es2022',
  dts: true,
  sourcemap: true,
  clean: true,
});
