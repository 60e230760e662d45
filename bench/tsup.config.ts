import { defineConfig } from 'tsup';

export default defineConfig({
  entry: [
    'src/run.ts',
    'src/deflate.ts',
    'src/stream-bytes.ts',
    'src/trips.ts',
    'src/deploy.ts',
    'src/contract-cost.ts',
    'src/slow-reader.ts',
    'src/overload.ts',
    'src/serve.ts',
    'src/load.ts',
  ],
  format: 'esm',
  target: 'es2022',
  platform: 'node',
  splitting: true,
  clean: true,
});
