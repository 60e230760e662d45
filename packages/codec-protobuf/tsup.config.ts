import { defineConfig } from 'tsup';

export default defineConfig({
  entry: ['src/protobuf.ts'],
  format: 'esm',
  target: 'es2022',
  dts: true,
  sourcemap: true,
  clean: true,
});
