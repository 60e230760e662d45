import { defineConfig } from 'vitest/config';
import { BaseSequencer, type TestSpecification } from 'vitest/node';

// Tests run against the sources; test/e2e runs against what was built. Not by `module`, which is of bundlers: what some have there, Node
// does not load. Nor by `import`: what is required would be taken by it too.
const conditions = ['@halyard/source', 'node'];

// One after the other they take longest: begun last, they would have the machine to themselves, and leave most of it idle.
const longest = ['/test/packaging/', '/test/conformance-kit/', '/test/sim/sim.', '/test/chaos/', '/test/e2e/c'];

class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const isLongest = ({ moduleId }: TestSpecification) => longest.some((part) => moduleId.includes(part));
    const sorted = await super.sort(files);
    return [...sorted.filter(isLongest), ...sorted.filter((file) => !isLongest(file))];
  }
}

// What takes long, by `npm run test:long`: connections that stand still or drip, a thousand clients at once, attackers on the second host,
// the rest of the proxies, and in a browser reloads, interruptions, a server that goes away, tabs, and what axe finds.
const long = [
  'test/conformance/{storm,slow-loris,bad-input-idle}.test.ts',
  'test/proxies/!(transports).test.ts',
  'test/e2e/proxied.test.ts',
  'test/e2e/{reload,interruptions,recovery,access,tabs}.test.ts',
  'test/hostile/node.test.ts',
];

// These share their modules, in each worker: to load them for each file would take as long as all that units test, and a minute of what
// starts servers. But for what is read from the environment as modules are loaded. Nor do the tests of the testkit: they load some while timers are fake,
// which would keep those.
const units = [
  'packages/{protocol,codec*,contract,client}/src/**/!(debug).test.ts',
  'packages/server/src/{base,log,room,session,store}/**/!(debug).test.ts',
];
const served = [
  'packages/server/src/{api,host,namespace,wire}/**/!(debug).test.ts',
  'packages/{adapter-redis,admin,harness}/src/**/*.test.ts',
  'bench/src/**/*.test.ts',
  'test/cli/**/*.test.ts',
  'test/conformance/!(debug).test.ts',
];
const { HALYARD_LONG } = process.env;
const apart = ['**/node_modules/**', '**/dist/**'];
const left = HALYARD_LONG === undefined ? long : [];

// What a project does not take from the root.
const common = {
  resolve: { conditions },
  ssr: { resolve: { conditions } },
};
const waits = {
  // Far above what anything here takes: they end what hangs.
  testTimeout: 240_000,
  hookTimeout: 240_000,
  expect: { poll: { timeout: 30_000 } },
};

export default defineConfig({
  test: {
    // Most of them wait most of the time.
    maxWorkers: 4,
    sequence: { sequencer: LongestFirst },
    projects: [
      { ...common, test: { name: 'units', include: units, exclude: apart, isolate: false, ...waits } },
      { ...common, test: { name: 'served', include: served, exclude: [...apart, ...left], isolate: false, ...waits } },
      {
        ...common,
        test: {
          name: 'whole',
          include: ['packages/*/src/**/*.test.ts', 'examples/**/*.test.ts', 'bench/**/*.test.ts', 'test/**/*.test.ts'],
          exclude: [...apart, ...units, ...served, ...left],
          ...waits,
        },
      },
    ],
  },
});
