// What a module of an app exports for the command: its contract, and what goes with it.
import { stat } from 'node:fs/promises';
import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { AnyContract } from '@halyard/contract';
import { isContract } from '@halyard/contract/internal';
import { LocalUsageError } from '@halyard/protocol';
import { optionError } from '../base/option';
import type { Info, ToJSONSchema } from './asyncapi';

export interface Loaded {
  readonly contract: AnyContract;
  /** Under which name it is exported. */
  readonly name: string;
  readonly toJSONSchema: ToJSONSchema | undefined;
  readonly info: Info | undefined;
}

/**
 * @param option under which the file was named. @param exported which of several contracts. Rejects with LocalUsageError `ERR_OPTION`,
 *   `ERR_MODULE`
 */
export async function loaded(option: string, file: string, exported: string | undefined): Promise<Loaded> {
  const module = await moduleIn(option, file);
  const contracts = Object.entries(module).filter(([, value]) => isContract(value));
  const names = contracts.map(([name]) => name);
  const wanted = exported ?? (names.length === 1 ? names[0] : undefined);
  const found = contracts.find(([name]) => name === wanted);
  if (found !== undefined) {
    const { toJSONSchema, info } = module;
    if (toJSONSchema !== undefined && typeof toJSONSchema !== 'function') {
      throw new LocalUsageError(
        'ERR_MODULE',
        `${file} exports as toJSONSchema what is no function, such as z.toJSONSchema.`,
      );
    }
    const [name, contract] = found as [string, AnyContract];
    return { contract, name, toJSONSchema: toJSONSchema as ToJSONSchema | undefined, info: info as Info | undefined };
  }
  if (exported !== undefined) throw optionError('--export', `one of ${listOf(names)}`, exported);
  if (names.length > 0) {
    throw new LocalUsageError('ERR_MODULE', `${file} exports several contracts: --export may be ${listOf(names)}.`);
  }
  const others = `what it exports is ${listOf(Object.keys(module))}`;
  throw new LocalUsageError(
    'ERR_MODULE',
    `${file} exports nothing that contract(…) of @halyard/contract has made: ${others}.`,
  );
}

async function moduleIn(option: string, file: string): Promise<Readonly<Record<string, unknown>>> {
  const path = resolve(file);
  await stat(path).catch(({ code }: NodeJS.ErrnoException) => {
    throw optionError(option, `a file that can be read (${code})`, file);
  });
  try {
    return await import(pathToFileURL(path).href);
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    const hint =
      code === 'ERR_UNKNOWN_FILE_EXTENSION'
        ? ' This Node reads no TypeScript: take one from 22.18 on, or run it as NODE_OPTIONS="--import tsx" with tsx installed.'
        : '';
    throw new LocalUsageError('ERR_MODULE', `${file} cannot be loaded: ${message}.${hint}`);
  }
}

function listOf(names: readonly string[]): string {
  return names.length === 0 ? 'nothing' : names.map((name) => `"${name}"`).join(', ');
}
