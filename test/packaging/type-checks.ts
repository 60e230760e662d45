// An app, the quick start and what READMEs show compile against what was installed, declarations and all, whichever way their project resolves modules.
// Longer than other files: most of it are the programs that are compiled.
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { isLong } from '../kit/long';
import { env, everything, libraries, packageNames, packages, root, run } from './packages';
import { codeOf, quickStart } from './readme';

/** It uses each package, and each of its entries. */
const app = `
import { redis, Emitter } from '@halyard/adapter-redis';
import { admin } from '@halyard/admin';
import { diagnose } from '@halyard/cli';
import { connect } from '@halyard/client';
import { connect as connectChecked } from '@halyard/client/contract';
import { connect as connectCore, websocket } from '@halyard/client/core';
import { overReload } from '@halyard/client/reload';
import { connectTab } from '@halyard/client/tabs';
import { serveTabs } from '@halyard/client/tabs-worker';
import { dataLimits, type Codec } from '@halyard/codec';
import { json } from '@halyard/codec/json';
import { msgpack } from '@halyard/codec-msgpack';
import { msgpack as slim } from '@halyard/codec-msgpack/browser';
import { protobuf } from '@halyard/codec-protobuf';
import { contract, type Emit, type Listen, type Schema } from '@halyard/contract';
import { afterClose } from '@halyard/protocol';
import { PublicError, Server, type Socket } from '@halyard/server';
import { openTelemetry } from '@halyard/server/opentelemetry';
import { prometheus } from '@halyard/server/prometheus';
import { simulate } from '@halyard/testkit';

interface ClientToServer {
  say(text: string): { id: string };
}
interface ServerToClient {
  said(text: string): void;
}

export const codecs: Codec[] = [json(), msgpack(), slim(), protobuf()];
export const io = new Server<ClientToServer, ServerToClient, { name: string }>({ codecs, adapter: redis({ url: 'redis://x' }) });
io.on('connection', (socket: Socket<ClientToServer, ServerToClient, { name: string }>) => {
  socket.on('say', (text) => {
    if (text === '') throw new PublicError('ERR_EMPTY', 'Say something.');
    io.emit('said', \`\${socket.data.name}: \${text.toUpperCase()}\`);
    return { id: socket.id };
  });
  // @ts-expect-error No client says that.
  socket.on('sing', () => {});
  // @ts-expect-error It is a text.
  socket.emit('said', 1);
});
export const page = admin(io, { password: 'correct horse battery', describe: ({ data }) => String(data.name) });
export const socket = connect<ServerToClient, ClientToServer>('http://localhost');
export const id: Promise<string> = socket.emitWithAck('say', 'hello').then((reply) => reply.id);
// @ts-expect-error It says nothing that is a number.
export const wrong: Promise<number> = socket.emitWithAck('say', 'hello').then((reply) => reply.id);
export const core = connectCore('http://localhost', { codec: json(), transport: websocket(), reload: overReload() });
// @ts-expect-error It is what overReload gives.
export const wrongReload = connect('http://localhost', { reload: true });
export const tab = connectTab<ServerToClient, ClientToServer>(() => ({ port: new MessageChannel().port1 }));
export const tabs = serveTabs('http://localhost', { codec: msgpack() });
declare const text: Schema<string>;
export const chat = contract({ clientToServer: { say: { args: [text], reply: text } }, serverToClient: { said: { args: [text] } } });
export const byContract = new Server({ contract: chat });
byContract.guard('say', (_socket, line) => line.length < 100);
byContract.on('connection', (socket) => socket.on('say', (line) => line.toUpperCase()));
// @ts-expect-error It says that it may, or may not.
byContract.guard('say', () => {});
// @ts-expect-error No client says that.
byContract.on('connection', (socket) => socket.on('sing', () => ''));
export const checked = connectChecked('http://localhost', { contract: chat });
export const reply: Promise<string> = checked.emitWithAck('say', 'hello');
export const unchecked = connect<Listen<typeof chat>, Emit<typeof chat>>('http://localhost');
// @ts-expect-error It takes a text.
unchecked.emit('say', 1);
export const endSpans: () => void = openTelemetry(io, { spans: false });
export const registered = prometheus(io);
// @ts-expect-error It is a server.
prometheus({});
export const rest = [afterClose(1000), dataLimits, simulate, Emitter, diagnose];
`;

/** Who mistypes the name of an event reads which ones there are. */
const wrong = `
import { connect } from '@halyard/client';
import { Server } from '@halyard/server';

interface ClientToServer {
  chat(text: string): void;
  join(room: string): number;
}
interface ServerToClient {
  said(text: string): void;
  left(name: string): void;
}
const socket = connect<ServerToClient, ClientToServer>('http://localhost');
socket.emit('chta', '');
void socket.timeout(1).emitWithAck('jion', '');
socket.on('siad', () => {});
const io = new Server<ClientToServer, ServerToClient>();
io.emit('siad', '');
io.to('a').emit('lfet', '');
`;

/** Under `exactOptionalPropertyTypes`, which `tsc --init` writes, an option that may be undefined has to say so. */
const exact = `
import { Emitter, redis, type RedisOptions } from '@halyard/adapter-redis';
import { admin, type AdminOptions } from '@halyard/admin';
import { asyncApi, type AsyncApiOptions } from '@halyard/cli';
import { type ClientOptions, connect } from '@halyard/client';
import { protobuf } from '@halyard/codec-protobuf';
import { contract, type Incoming } from '@halyard/contract';
import { type ListenOptions, memory, Server, type ServerOptions } from '@halyard/server';
import { openTelemetry } from '@halyard/server/opentelemetry';
import { prometheus } from '@halyard/server/prometheus';
import { type LoseOptions, simulate, type SimulateOptions } from '@halyard/testkit';

type Unsaid<Options> = { [Name in keyof Options]?: undefined };

declare const server: Unsaid<ServerOptions>;
declare const listen: Unsaid<ListenOptions>;
declare const page: Unsaid<AdminOptions>;
declare const store: Unsaid<RedisOptions>;
declare const network: Unsaid<SimulateOptions>;
declare const lose: Unsaid<LoseOptions>;
declare const client: Unsaid<ClientOptions>;
declare const document: Unsaid<AsyncApiOptions>;
export const io = new Server(server);
void io.listen(1, listen);
new Server({ overload: { loopDelayMs: undefined }, perMessageDeflate: { thresholdBytes: undefined } });
void io.listen(1, { tls: { keyFile: '', certFile: '', passphrase: undefined } });
new Server({ allowRequest: () => ({ status: 400, code: undefined, message: '' }) });
admin(io, page);
redis({ ...store, wait: { replicas: 1, timeoutMs: undefined } });
new Emitter({ ...store, codecs: undefined, ackTimeoutMs: undefined, trustProxy: undefined, logger: undefined, clock: undefined });
const world = simulate(network);
world.server(server);
world.connect({ namespace: undefined, headers: undefined, server: undefined, transports: undefined });
world.loseRequest(undefined, lose);
world.offline(undefined, { noticedBy: undefined, silent: undefined });
void world.until(() => true, { withinMs: undefined });
connect('http://localhost', client);
memory({ shared: undefined, codec: undefined });
protobuf({ types: undefined });
openTelemetry(io, { meterProvider: undefined, tracerProvider: undefined, spans: undefined });
prometheus(io, { registry: undefined });
const said = contract({ clientToServer: { leave: { args: undefined, reply: undefined } }, serverToClient: undefined });
export const leave: Incoming<typeof said>['leave'] = () => {};
asyncApi(said, document);
asyncApi(said, { info: { title: undefined } });
`;

/** What a page compiles against has no types of Node. */
const page = `
import { connect } from '@halyard/client';
import { websocket } from '@halyard/client/core';
import { connectTab } from '@halyard/client/tabs';
import { msgpack } from '@halyard/codec-msgpack';
export const tab = connectTab(() => new SharedWorker('/worker.js', { type: 'module' }), { namespace: '/side' });
export const socket = connect('https://app.example', { codec: msgpack(), transports: [websocket()] });
`;

/** What an app keeps of it in modules of its own, whose declarations name the types. */
const kept = `
import { Emitter } from '@halyard/adapter-redis';
import { type ClientOptions, connect } from '@halyard/client';
import { connect as connectChecked } from '@halyard/client/contract';
import { connectTab } from '@halyard/client/tabs';
import { contract, type Schema } from '@halyard/contract';
import { type EventArgs, type EventName, Server } from '@halyard/server';
import { simulate } from '@halyard/testkit';

declare const text: Schema<string>;
interface ServerToClient {
  said(text: string): void;
}
interface ClientToServer {
  say(text: string): { id: string };
}
export const socket = connect<ServerToClient, ClientToServer>('http://localhost');
export const soon = socket.timeout(500);
export const { connection, volatile } = socket;
export const say = (line: string) => socket.emitWithAck('say', line);
export function useSocket() {
  return { socket, soon: socket.timeout(500), volatile: socket.volatile, auth: socket.auth };
}
export class Api {
  readonly quick = socket.timeout(500);
  readonly drop = socket.volatile;
  options = {} satisfies ClientOptions;
}
export const tab = connectTab(() => ({ port: new MessageChannel().port1 }));
export const tabSoon = tab.timeout(500);
export const chat = contract({ clientToServer: { say: { args: [text], reply: text } } });
export const checked = connectChecked('http://localhost', { contract: chat });
export const checkedSoon = checked.timeout(500);
export const checkedVolatile = checked.volatile;
export const io = new Server<ClientToServer, ServerToClient, { name: string }>();
export const room = io.to('room').latest('said');
export const found = () => io.fetchSockets();
export const asked = () => io.timeout(500).emitWithAck('said', 'hello');
export const handlers = io.on('connection', async (one) => one.timeout(500));
export const one = () => [...io.sockets.values()][0]?.timeout(500);
export const handshakes = () => [...io.sockets.values()].map(({ handshake, conn, volatile }) => ({ handshake, conn, volatile }));
export const emitter = new Emitter<ServerToClient>({ url: 'redis://x' });
export const state = () => ({ health: io.health(), metrics: io.metrics(), inspection: io.inspect() });
export const world = simulate();
export function send<Name extends EventName<ServerToClient>>(event: Name, ...args: EventArgs<ServerToClient, Name>) {
  io.emit(event, ...args);
  return room;
}
`;

interface Project {
  /** Another one than that of this project, as it is among the libraries. */
  readonly compiler?: 'typescript' | 'oldestTypescript';
  /** Without: `app`, the quick start, and what the READMEs of the packages show. */
  readonly files?: Readonly<Record<string, string>>;
  readonly options: Readonly<Record<string, unknown>>;
  /** As package.json has it. */
  readonly type?: 'module' | 'commonjs';
  /** What the compiler has to say, line by line. Without: nothing. */
  readonly said?: readonly string[];
}

const node = { lib: ['ES2022'], types: ['node'] };

/** What chapters of docs/ have from elsewhere: what all apps have, and an app's own. */
const names = `
declare const Server: typeof import('@halyard/server').Server;
declare const PublicError: typeof import('@halyard/server').PublicError;
declare const handleSignals: typeof import('@halyard/server').handleSignals;
declare const redis: typeof import('@halyard/adapter-redis').redis;
declare const io: import('@halyard/server').Server;
type Handshake = import('@halyard/server').Handshake;
declare const isBanned: (user: unknown) => Promise<boolean>;
declare const verify: (token: unknown) => Promise<unknown>;
declare const jwtVerify: (token: string, key: unknown) => Promise<{ payload: { sub?: string; exp?: number } }>;
declare const key: unknown;
declare const scaleUp: (facts: unknown) => void;
declare const database: { end(): Promise<void> };
declare const player: { id: string; x: number; y: number };
`;

/** What those of the packages show, and chapters of docs/, each a module of its own. */
async function readmes(): Promise<Record<string, string>> {
  const found: Record<string, string> = { 'names.d.ts': names };
  for (const name of packageNames) {
    const codes = codeOf(await packages.read(name, 'README.md'));
    expect(codes).not.toEqual([]);
    for (const [i, code] of codes.entries()) found[`${name}-${i}.ts`] = code;
  }
  for (const chapter of ['CLIENT', 'SERVER', 'CLUSTER', 'OPERATIONS']) {
    const codes = codeOf(await readFile(join(root, `docs/${chapter}.md`), 'utf8'));
    expect(codes).not.toEqual([]);
    for (const [i, code] of codes.entries()) found[`chapter-${chapter}-${i}.ts`] = `${code}\nexport {};\n`;
  }
  return found;
}

const projects: readonly (readonly [name: string, project: Project])[] = [
  ['nodenext', { options: { ...node, module: 'NodeNext', moduleResolution: 'nodenext' } }],
  [
    'nodenext, with the oldest TypeScript',
    {
      compiler: 'oldestTypescript',
      files: { 'app.ts': app, 'exact.ts': exact, 'kept.ts': kept },
      options: { ...node, module: 'NodeNext', exactOptionalPropertyTypes: true },
    },
  ],
  [
    'bundler, of a page',
    {
      files: { 'page.ts': page },
      options: { lib: ['ES2022', 'DOM'], types: [], module: 'ESNext', moduleResolution: 'bundler' },
    },
  ],
];

// What takes too long to be compiled each time.
const others: typeof projects = [
  ['bundler', { options: { ...node, module: 'ESNext', moduleResolution: 'bundler', esModuleInterop: true } }],
  [
    'nodenext, with exact optional properties',
    {
      files: { 'app.ts': app, 'exact.ts': exact },
      options: { ...node, module: 'NodeNext', exactOptionalPropertyTypes: true },
    },
  ],
  [
    'nodenext, of a CommonJS project',
    { files: { 'app.ts': app }, options: { ...node, module: 'NodeNext' }, type: 'commonjs' },
  ],
  [
    'nodenext, with declarations of its own',
    {
      files: { 'kept.ts': kept },
      options: {
        ...node,
        module: 'NodeNext',
        noEmit: false,
        declaration: true,
        emitDeclarationOnly: true,
        outDir: 'out',
      },
    },
  ],
  ['node16', { options: { ...node, module: 'Node16', moduleResolution: 'node16' } }],
  [
    'nodenext, where a name is wrong',
    {
      files: { 'wrong.ts': wrong },
      options: { ...node, module: 'NodeNext' },
      said: [
        `'"chta"' is not assignable to parameter of type '"join" | "chat"'.`,
        `'"jion"' is not assignable to parameter of type '"join" | "chat"'.`,
        `'"siad"' is not assignable to parameter of type '"left" | keyof LifecycleEvents | "said"'.`,
        `'"siad"' is not assignable to parameter of type '"left" | "said"'.`,
        `'"lfet"' is not assignable to parameter of type '"left" | "said"'.`,
      ],
    },
  ],
];

describe('an app compiles', () => {
  let cwd: string;

  beforeAll(async () => {
    cwd = await everything();
  });

  test.each(isLong ? [...projects, ...others] : projects)(
    '%s',
    async (name, { compiler = 'typescript', files, options, type = 'module', said = [] }) => {
      const sources = files ?? {
        'app.ts': app,
        ...Object.fromEntries((await quickStart()).files),
        ...(await readmes()),
      };
      const folder = join(cwd, name.replaceAll(/\W+/g, '-'));
      await mkdir(folder);
      await writeFile(join(folder, 'package.json'), JSON.stringify({ type }));
      for (const [file, text] of Object.entries(sources)) await writeFile(join(folder, file), text);
      const compilerOptions = { target: 'ES2022', strict: true, noEmit: true, skipLibCheck: false, ...options };
      await writeFile(join(folder, 'tsconfig.json'), JSON.stringify({ compilerOptions, files: Object.keys(sources) }));
      const tsc = run(process.execPath, [join(libraries[compiler], 'bin/tsc'), '-p', folder], { cwd: folder, env });
      const { stdout } = await tsc.catch((failed: { stdout: string }) => failed);
      if (said.length === 0) expect(stdout).toBe('');
      else expect(stdout.trim().split('\n')).toEqual(said.map((words) => expect.stringContaining(words)));
    },
  );
});
