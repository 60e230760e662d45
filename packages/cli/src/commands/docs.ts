// `halyard docs FILE`: the contract that a module exports, as AsyncAPI.
import { parseArgs } from 'node:util';
import { optionError } from '../base/option';
import { asyncApi } from '../docs/asyncapi';
import { loaded } from '../docs/loaded';
import type { Command } from './command';

const usage = `halyard docs FILE [options]

Prints the contract that a module exports as AsyncAPI 3.0, in JSON. Beside it the module exports what makes JSON Schema of its schemas, such as
"export const toJSONSchema = z.toJSONSchema"; without it only the names of events and the number of their arguments are told. It may export
"info" too: { title, version, description } of the document. A module in TypeScript takes Node from 22.18 on.

  --export NAME     which of several contracts
  --namespace NAME  the namespace that it is of (default /)
  -h, --help        this
`;

export const docs: Command = {
  name: 'docs',
  about: 'a contract as AsyncAPI: halyard docs FILE',
  usage,
  async run(args) {
    const { values, positionals } = parseArgs({
      args: [...args],
      allowPositionals: true,
      options: { export: { type: 'string' }, namespace: { type: 'string', default: '/' } },
    });
    const [file, ...more] = positionals;
    if (file === undefined) throw optionError('FILE', 'a module that exports a contract, such as src/contract.ts', '');
    if (more.length > 0) throw optionError('what stands behind FILE', 'options alone', more.join(' '));
    const { namespace } = values;
    if (!namespace.startsWith('/')) throw optionError('--namespace', 'a name that begins with "/"', namespace);
    const { contract, name, toJSONSchema, info } = await loaded('FILE', file, values.export);
    if (toJSONSchema === undefined) {
      const rule = 'export const toJSONSchema = z.toJSONSchema, or what another library has for it';
      console.error(`${file} exports no toJSONSchema: what events carry is left out. To have it: ${rule}.`);
    }
    console.log(
      JSON.stringify(
        asyncApi(contract, { toJSONSchema, namespace, info: { ...info, title: info?.title ?? name } }),
        null,
        2,
      ),
    );
    return 0;
  },
};
