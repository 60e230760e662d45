// What a browser downloads: the client bundled by esbuild, minified by terser and gzipped, whole and in parts.
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';

export interface Size {
  readonly name: string;
  readonly minBytes: number | undefined;
  readonly gzipBytes: number | undefined;
  readonly failure: string | undefined;
}

/** What an app imports. Everything it names stays in the bundle. */
const entries: Readonly<Record<string, string>> = {
  whole: `export { connect } from '@halyard/client';`,
  websocket: `
    export { connect, websocket } from '@halyard/client/core';
    export { json } from '@halyard/codec/json';`,
  'whole, over a reload': `
    export { connect } from '@halyard/client';
    export { overReload } from '@halyard/client/reload';`,
  'codec json': `export { json } from '@halyard/codec/json';`,
  'codec msgpack': `export { msgpack } from '@halyard/codec-msgpack';`,
  'codec protobuf': `export { protobuf } from '@halyard/codec-protobuf';`,
};

export const sizeNames: readonly string[] = Object.keys(entries);

/** Bundles from what was built, as an app would. A part that does not bundle fails alone. */
export async function measureSize(name: string): Promise<Size> {
  try {
    const { build } = await import('esbuild');
    const { minify } = await import('terser');
    const { outputFiles } = await build({
      stdin: { contents: entries[name] ?? '', resolveDir: fileURLToPath(new URL('.', import.meta.url)) },
      bundle: true,
      write: false,
      format: 'esm',
      platform: 'browser',
      target: 'es2022',
      legalComments: 'none',
      logLevel: 'silent',
    });
    const { code = '' } = await minify(outputFiles[0]!.text, { module: true, ecma: 2020, compress: { passes: 2 } });
    return {
      name,
      minBytes: Buffer.byteLength(code),
      gzipBytes: gzipSync(code, { level: 9 }).length,
      failure: undefined,
    };
  } catch (error) {
    const failure = error instanceof Error ? error.message : String(error);
    return { name, minBytes: undefined, gzipBytes: undefined, failure };
  }
}

export function measureSizes(): Promise<Size[]> {
  return Promise.all(sizeNames.map((name) => measureSize(name)));
}
