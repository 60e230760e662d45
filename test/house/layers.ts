// The layers of Halyard, lowest first: the one place where they are written down. A file imports from its own layer and from
// those below it; layers of one line do not import each other. What is in no layer is a fault.

/** A package, or another part of the workspace, and its folders and files, lowest first. */
export interface Part {
  readonly path: string;
  /** In `path`. Without it the whole is one layer. */
  readonly inside?: readonly (readonly string[])[];
  /** The only parts it imports, where these are not all that lie below. */
  readonly imports?: readonly string[];
}

export interface Layers {
  readonly parts: readonly (readonly Part[])[];
  /** Files of a package that are not published: they lie above it, and may import `testing` as well. */
  readonly tests: RegExp;
  /** Parts, and layers of parts, for the tests of packages. */
  readonly testing: readonly string[];
}

export const layers: Layers = {
  parts: [
    [
      {
        path: 'packages/protocol',
        inside: [
          ['src/clock.ts'],
          ['src/wire'],
          // What both ends hold of events, and of their stream.
          ['src/debug.ts', 'src/event-rules.ts', 'src/stream'],
          ['src/events.ts', 'src/missed-callback.ts', 'src/missing-members.ts'],
          ['src/index.ts', 'tsup.config.ts'],
        ],
      },
    ],
    [
      { path: 'packages/codec' },
      {
        path: 'packages/contract',
        inside: [
          ['src/schema.ts'],
          ['src/definition.ts', 'src/rule.ts'],
          ['src/checks.ts', 'src/events.ts'],
          ['src/contract.ts'],
          ['src/index.ts', 'src/internal.ts', 'src/types.test-d.ts', 'tsup.config.ts'],
        ],
      },
    ],
    [
      // Beside the two ends, so that neither of these brings their libraries.
      { path: 'packages/codec-msgpack' },
      { path: 'packages/codec-protobuf' },
      {
        path: 'packages/client',
        inside: [
          ['src/base', 'src/platform'],
          // Connections: one after the other, and by which way.
          ['src/link'],
          ['src/session'],
          ['src/api', 'src/reload'],
          ['src/tabs'],
          [
            'src/core.ts',
            'src/contract.ts',
            'src/debug.ts',
            'src/reload.ts',
            'src/tabs.ts',
            'src/tabs-worker.ts',
            'package.json',
          ],
          ['src/index.ts', 'tsup.config.ts'],
        ],
      },
      {
        path: 'packages/server',
        inside: [
          ['src/base'],
          // What accepts sockets and requests.
          ['src/host'],
          // Frames in and out: connections, and who may have one.
          ['src/wire'],
          // What was published, how long it is kept, and where all nodes have it.
          ['src/log'],
          ['src/store'],
          // Who gets it, and how.
          ['src/room'],
          ['src/session'],
          ['src/namespace'],
          ['src/api'],
          [
            'src/emitter.ts',
            'src/index.ts',
            'src/opentelemetry.ts',
            'src/prometheus.ts',
            'src/types.test-d.ts',
            'tsup.config.ts',
          ],
        ],
      },
    ],
    // Beside other engines of a store that are to come: each brings the library of its database.
    [
      {
        path: 'packages/adapter-redis',
        imports: ['packages/protocol', 'packages/codec', 'packages/codec-msgpack', 'packages/server'],
      },
    ],
    // It is for the tests of all packages above protocol: so that none of them is below it.
    [{ path: 'packages/harness', imports: ['packages/protocol'] }],
    // What apps test with: both ends, on the network of our own simulator. No package's tests may import it.
    [
      {
        path: 'packages/testkit',
        imports: ['packages/protocol', 'packages/client', 'packages/server', 'packages/harness'],
      },
    ],
    // What shows a server: its page is a client.
    [
      {
        path: 'packages/admin',
        imports: ['packages/protocol', 'packages/client', 'packages/server'],
        inside: [
          ['src/base'],
          // Of the page the sources, and what was built of them.
          ['src/page', 'src/page-of-build.ts', 'package.json'],
          ['src/server'],
          ['src/index.ts', 'tsup.config.ts'],
        ],
      },
    ],
    // The command: it is a client, and more of one than apps are.
    [
      {
        path: 'packages/cli',
        imports: [
          'packages/protocol',
          'packages/codec',
          'packages/codec-msgpack',
          'packages/codec-protobuf',
          'packages/contract',
          'packages/client',
        ],
        inside: [
          ['src/base'],
          // A server by hand: requests, lines over each transport.
          ['src/probe'],
          ['src/bench', 'src/connect', 'src/docs', 'src/doctor', 'src/tail'],
          ['src/commands'],
          ['src/index.ts', 'src/bin.ts', 'tsup.config.ts'],
        ],
      },
    ],
    // The chat on many servers, and tests of who has a session and of components, are made of these.
    [{ path: 'examples/auth' }, { path: 'examples/chat' }, { path: 'examples/react' }],
    [
      {
        path: 'bench',
        inside: [
          ['src/base', 'package.json'],
          // What is asked of both sides, and what their processes are asked.
          ['src/contract'],
          ['src/subjects'],
          // Dialects, patterns and peers of the load.
          ['src/load'],
          // A subject's server and its load, in processes of their own.
          ['src/testbed'],
          ['src/workloads'],
          ['src/registry.ts'],
          ['src/measure'],
          ['src/report', 'src/arguments.ts'],
          // The three programs, of which the first starts the others; and some by themselves.
          [
            'src/run.ts',
            'src/deflate.ts',
            'src/stream-bytes.ts',
            'src/trips.ts',
            'src/contract-cost.ts',
            'src/deploy.ts',
            'src/overload.ts',
            'src/slow-reader.ts',
            'src/serve.ts',
            'src/load.ts',
            'src/arguments.test.ts',
            'tsup.config.ts',
          ],
        ],
      },
      { path: 'examples/admin' },
      { path: 'examples/all-cores' },
      { path: 'examples/contract' },
      // The chat on many servers.
      { path: 'examples/cluster' },
      { path: 'examples/metrics' },
      { path: 'examples/proxies' },
      { path: 'examples/quick-start' },
      { path: 'examples/testing' },
      {
        path: 'test',
        inside: [
          ['kit'],
          ['chaos', 'cli', 'conformance', 'conformance-kit', 'e2e', 'house', 'matrix', 'packaging', 'proxies', 'sim'],
          // Peers that break the rules by the hundred: each is one of conformance, which breaks one.
          ['hostile'],
          ['fuzz', 'soak'],
          ['system.mjs'],
        ],
      },
    ],
  ],
  tests: /\.test(-d)?\.ts$|\/(suite|testing)\//,
  testing: ['packages/harness', 'test/kit'],
};
