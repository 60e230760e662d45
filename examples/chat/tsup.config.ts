import { defineConfig } from 'tsup';

export default defineConfig([
  { entry: ['src/server.ts', 'src/chat.ts'], format: 'esm', target: 'es2022', platform: 'node' },
  {
    entry: { chat: 'src/page/main.ts' },
    outDir: 'dist/page',
    publicDir: 'public',
    format: 'iife',
    outExtension: () => ({ js: '.js' }),
    target: 'es2022',
    platform: 'browser',
    minify: true,
    noExternal: [/.*/],
  },
]);
