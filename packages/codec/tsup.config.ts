import { defineConfig } from 'tsup';

export default defineConfig({
  entry: ['src/index.ts', 'src/json.ts', 'src/json-browser.ts', 'src/internal.ts'],
  format: 'esm',
  target: 'es2022',
  dts: true,
  sourcemap: true,
  clean: true,
});
