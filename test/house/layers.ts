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
  readonly exceptions: readonly Exception[];
}

/** An import that is not to be, and is still there. */
export interface Exception {
  readonly from: string;
  readonly to: string;
}

export const layers: Layers = {
  parts: [
    [{ path: 'packages/protocol' }],
    [{ path: 'packages/codec' }],
    [
      { path: 'packages/client' },
      {
        path: 'packages/server',
        // The folders, from base and host to namespace and api, are listed here as they come to be:
        // inside: [['src/base'], ['src/host'], …]
      },
    ],
    // It is for the tests of all packages above protocol: so that none of them is below it.
    [{ path: 'packages/testkit', imports: ['packages/protocol'] }],
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
          // The three programs, of which the first starts the others.
          ['src/run.ts', 'src/serve.ts', 'src/load.ts', 'src/arguments.test.ts', 'tsup.config.ts'],
        ],
      },
      { path: 'examples/chat' },
      { path: 'examples/quick-start' },
      {
        path: 'test',
        inside: [['kit'], ['chaos', 'conformance', 'e2e', 'house', 'matrix', 'sim'], ['system.mjs']],
      },
    ],
  ],
  tests: /\.test(-d)?\.ts$|\/(suite|testing)\//,
  testing: ['packages/testkit', 'test/kit'],
  exceptions: [
    // The client's sessions know the API for one reader of a socket's name.
    { from: 'packages/client/src/connection/member.ts', to: 'packages/client/src/socket.ts' },
    // A log tells the journal how it has grown, and the journal appends to logs.
    { from: 'packages/server/src/namespace/journal.ts', to: 'packages/server/src/namespace/log.ts' },
    // Members, rooms and sessions hold each other, where a room needs an id and two ways to forward of a member.
    { from: 'packages/server/src/namespace/member.ts', to: 'packages/server/src/session/session.ts' },
    { from: 'packages/server/src/namespace/room.ts', to: 'packages/server/src/namespace/member.ts' },
    // A namespace asks the session itself, where a contract of what it needs would do. So does a socket, in a longer cycle.
    { from: 'packages/server/src/namespace/namespace.ts', to: 'packages/server/src/session/session.ts' },
    // A socket makes targets of its namespace, and these name both.
    { from: 'packages/server/src/namespace/socket.ts', to: 'packages/server/src/namespace/namespace.ts' },
    { from: 'packages/server/src/namespace/target.ts', to: 'packages/server/src/namespace/namespace.ts' },
    { from: 'packages/server/src/namespace/target.ts', to: 'packages/server/src/namespace/socket.ts' },
    // A session leaves the directory it is found in by itself.
    { from: 'packages/server/src/session/sessions.ts', to: 'packages/server/src/session/session.ts' },
    // Protocol's simulation joins its machines by what imports protocol.
    { from: 'packages/protocol/src/session.sim.test.ts', to: 'packages/testkit/src/pair.ts' },
    { from: 'packages/protocol/src/session.sim.test.ts', to: 'packages/testkit/src/random.ts' },
  ],
};
