import { readFile, rm, writeFile } from 'node:fs/promises';
import { defineConfig } from 'tsup';

export default defineConfig([
  {
    entry: ['src/index.ts'],
    format: 'esm',
    target: 'es2022',
    platform: 'node',
    // The other build makes it.
    external: ['#page'],
    dts: true,
    sourcemap: true,
  },
  {
    entry: { script: 'src/page/main.ts' },
    format: 'iife',
    outExtension: () => ({ js: '.js' }),
    target: 'es2022',
    platform: 'browser',
    minify: true,
    noExternal: [/.*/],
    onSuccess: assemble,
  },
]);

/** Writes the page with all that is in it as a module, so that a server that is bundled has it too. */
async function assemble(): Promise<void> {
  const read = (file: string): Promise<string> => readFile(file, 'utf8');
  const [script, style, body] = await Promise.all([
    read('dist/script.js'),
    read('src/page/page.css'),
    read('src/page/page.html'),
  ]);
  const page = {
    body: body.replaceAll(/\n\s*/g, '\n').trim(),
    // Nothing in it ends the element that it stands in.
    script: script.trim().replaceAll('</script', '<\\/script'),
    style: style.replaceAll(/\n\s*/g, '\n').trim(),
  };
  await writeFile(
    'dist/page.min.js',
    `const page = ${JSON.stringify(page)};\nexport const { body, script, style } = page;\n`,
  );
  await rm('dist/script.js');
}
