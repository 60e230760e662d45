import { defineConfig } from 'tsup';
import chaos from '../tsup.config';

export default defineConfig({
  ...chaos,
  entry: ['run', 'node', 'clients', 'mutants'].map((name) => `test/chaos/cluster/${name}.ts`),
  outDir: 'test/chaos/cluster/dist',
});
