import { defineConfig } from 'tsup';

export default defineConfig([
  { entry: ['src/server.ts'], format: 'esm', target: 'es2022', platform: 'node' },
  {
    entry: { page: 'src/page.tsx' },
    outDir: 'dist/page',
    publicDir: 'public',
    format: 'iife',
    outExtension: () => ({ js: '.js' }),
    target: 'es2022',
    platform: 'browser',
    minify: true,
    noExternal: [/.*/],
    // React's checks of effects, which StrictMode runs twice, are of development alone.
    define: { 'process.env.NODE_ENV': '"development"' },
  },
]);
