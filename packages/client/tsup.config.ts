import { defineConfig } from 'tsup';

export default defineConfig([
  {
    entry: {
      index: 'src/index.ts',
      core: 'src/core.ts',
      contract: 'src/contract.ts',
      debug: 'src/debug.ts',
      reload: 'src/reload.ts',
      tabs: 'src/tabs.ts',
      'tabs-worker': 'src/tabs-worker.ts',
      'debug-off': 'src/platform/debug-off.ts',
      'debug-node': 'src/platform/debug-node.ts',
      'fetch-browser': 'src/platform/fetch-browser.ts',
      'fetch-node': 'src/platform/fetch-node.ts',
      habits: 'src/base/habits.ts',
      'habits-off': 'src/base/habits-off.ts',
      'websocket-browser': 'src/platform/websocket-browser.ts',
      'websocket-node': 'src/platform/websocket-node.ts',
    },
    format: 'esm',
    target: 'es2022',
    // Which ones they are, is for the application's bundler or Node to decide.
    external: ['#debug', '#fetch', '#habits', '#websocket'],
    dts: true,
    sourcemap: true,
    // Not all of dist: the other build writes there at the same time.
    clean: ['chunk-*.js'],
  },
  {
    // For a script tag: one file with everything in it, under the global name `Halyard`.
    entry: { halyard: 'src/index.ts' },
    format: 'iife',
    globalName: 'Halyard',
    platform: 'browser',
    target: 'es2022',
    noExternal: [/./],
    // Smaller by a tenth than what esbuild makes: it writes constants where they are used.
    minify: 'terser',
    // The other build may not have written the files that package.json names yet.
    esbuildOptions: (options) => {
      options.alias = {
        '#debug': './src/platform/debug-off.ts',
        '#fetch': './src/platform/fetch-browser.ts',
        '#habits': './src/base/habits-off.ts',
        '#websocket': './src/platform/websocket-browser.ts',
      };
    },
    outExtension: () => ({ js: '.min.js' }),
  },
]);
