import { defineConfig } from 'tsup';

export default defineConfig({
  entry: ['src/node.ts', 'src/programs.ts', 'src/start.ts'],
  format: 'esm',
  target: 'es2022',
  platform: 'node',
});
