import { defineConfig } from 'tsup';

export default defineConfig({
  entry: ['src/index.ts', 'src/emitter.ts', 'src/opentelemetry.ts', 'src/prometheus.ts'],
  format: 'esm',
  target: 'es2022',
  platform: 'node',
  dts: true,
  sourcemap: true,
  clean: true,
});
