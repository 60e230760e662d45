import { defineConfig } from 'tsup';

export default defineConfig({
  entry: ['src/redis.ts'],
  format: 'esm',
  target: 'es2022',
  platform: 'node',
  dts: true,
  clean: true,
});
