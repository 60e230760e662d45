// What must compile, and what must not. Checked by the compiler; never run.
import type { HalyardError } from '@halyard/protocol';
import { connect, type DisconnectInfo, type Listener, PublicError, type Socket, type StateChange } from '../index';

interface ServerToClient {
  message(m: { from: string; text: string }): void;
  ask(question: string): number;
}
interface ClientToServer {
  'message:send'(room: string, text: string): { id: string };
  'message:seen'(id: string, at?: Date): Promise<boolean>;
  ping(): void;
}
interface AdminToServer {
  ban(user: string): void;
}

type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;
function same<A, B>(_: Same<A, B>): void {}

const socket = connect<ServerToClient, ClientToServer>('https://app.example', { auth: () => ({ token: 't' }) });

export async function emitting(): Promise<void> {
  socket.emit('ping');
  socket.emit('message:seen', 'id');
  socket.emit('message:seen', 'id', new Date());
  const sent = await socket.emitWithAck('message:send', 'lobby', 'hello');
  same<typeof sent, { id: string }>(true);
  const seen = await socket.timeout(5_000).emitWithAck('message:seen', 'id');
  same<typeof seen, boolean>(true);
  socket.volatile.emit('message:send', 'lobby', 'hello');

  // @ts-expect-error no such event
  socket.emit('message:sent', 'lobby', 'hello');
  // @ts-expect-error an argument too few
  socket.emit('message:send', 'lobby');
  // @ts-expect-error an argument too many
  socket.emit('ping', 1);
  // @ts-expect-error a wrong argument
  await socket.emitWithAck('message:send', 'lobby', 1);
  // @ts-expect-error the reply has no such property
  (await socket.emitWithAck('message:send', 'lobby', 'hello')).text;
  // @ts-expect-error an event of the other direction
  socket.emit('message', { from: 'a', text: 'b' });
  // @ts-expect-error a wrong argument
  await socket.timeout(1).emitWithAck('message:seen', 1);
  // @ts-expect-error a wrong argument
  socket.volatile.emit('message:send', 1, 'hello');
  // @ts-expect-error an event of the socket's own life
  socket.emit('disconnect');
}

export function listening(): void {
  socket.on('message', (m) => same<typeof m, { from: string; text: string }>(true));
  socket.once('message', async ({ text }) => void text.length);
  socket.on('ask', (question) => question.length);
  socket.on('ask', async (question) => question.length);
  // Nobody waits for a reply to it, so what a handler of it returns is of no matter.
  const texts: string[] = [];
  socket.on('message', ({ text }) => texts.push(text));
  socket.once('message', async ({ text }) => texts.push(text));
  socket.off('ask').off('message', () => {});
  socket.onAny((event, ...args) => same<[typeof event, typeof args], [string, unknown[]]>(true));

  // @ts-expect-error no such event
  socket.on('messages', () => {});
  // @ts-expect-error a wrong reply
  socket.on('ask', (question) => question);
  // @ts-expect-error no reply
  socket.on('ask', () => {});
  // @ts-expect-error a wrong argument
  socket.on('ask', (question: number) => question);
  // @ts-expect-error an event of the other direction
  socket.on('ping', () => {});
}

export function living(): void {
  socket.on('connect', ({ recovered, reason, unconfirmed }) => {
    same<[typeof recovered, typeof reason, typeof unconfirmed], [boolean, string | undefined, number]>(true);
  });
  socket.on('disconnect', (info) => same<typeof info, DisconnectInfo>(true));
  socket.on('connect_error', (error) => same<typeof error, HalyardError>(true));
  socket.on('error', (error) => same<typeof error, unknown>(true));
  socket.connection.on('state', (change) => {
    same<typeof change, StateChange>(true);
    if (change.to === 'waiting') same<typeof change.retryInMs, number>(true);
    // @ts-expect-error only a wait has a duration
    if (change.to === 'open') change.retryInMs;
  });

  // @ts-expect-error no such property
  socket.on('connect', ({ recovery }) => recovery);
  // @ts-expect-error read-only
  socket.connected = true;
}

export function namespaces(): void {
  const admin = socket.of<object, AdminToServer>('/admin', { auth: async () => ({ key: 'k' }) });
  admin.emit('ban', 'user');
  // @ts-expect-error an event of another namespace
  admin.emit('ping');
  // @ts-expect-error nothing comes from there
  admin.on('message', () => {});
}

export async function untyped(): Promise<void> {
  const any = connect('https://app.example');
  any.emit('anything', 1, 'two', { three: 3 });
  any.on('whatever', (a, b) => a + b);
  const reply = await any.emitWithAck('x');
  reply.what.ever;
  any.on('disconnect', ({ willReconnect }) => same<typeof willReconnect, boolean>(true));

  // @ts-expect-error an option that does not exist
  connect('https://app.example', { tokens: 1 });
  // @ts-expect-error an auth that no codec carries
  connect('https://app.example', { auth: { key: Symbol() } });
  // @ts-expect-error an auth that is not an object
  connect('https://app.example', { auth: () => 'key' });
}

/** As a hook of an app has it. */
export function useEvent<Name extends keyof ServerToClient & string>(
  event: Name,
  listener: Listener<ServerToClient, Name>,
): () => void {
  socket.on(event, listener);
  return () => void socket.off(event, listener);
}

/** `any` is as no map. */
export async function anything(): Promise<void> {
  // biome-ignore lint/suspicious/noExplicitAny: it is what is looked at.
  const open = connect<any, any>();
  open.on('hey', (name: string) => void name);
  open.emit('hey', 1, 'two');
  const reply: string = await open.emitWithAck('hey');
  connect({ path: '/elsewhere', auth: { token: reply } });
}

/** What Socket.IO's users have in their maps. */
interface WithCallbacks {
  hi(n: number, done: (text: string) => void): void;
  bye(n: number, done?: string): void;
  maybe(n: number, done?: (text: string) => void): void;
}

export function callbacks(): void {
  const old = connect<WithCallbacks, WithCallbacks>();
  // @ts-expect-error an event has no callback
  old.emit('hi', 3, (text: string) => void text);
  // @ts-expect-error nor has its handler
  old.on('hi', (n, done) => done(`${n}`));
  old.emit('bye', 3);
  old.emit('bye', 3, 'done');
  // @ts-expect-error nor one that may be left out
  old.emit('maybe', 3, (text: string) => void text);
}

/** A map that says what an event has, and not how it is called. */
interface WithoutFunctions {
  said: string;
}

export function noFunctions(): void {
  const wrong = connect<WithoutFunctions, WithoutFunctions>();
  // @ts-expect-error an event is a function in its map
  wrong.emit('said', 'hello');
  // @ts-expect-error whatever its handler takes, …
  wrong.on('said', (text: string) => void text);
  // @ts-expect-error … nothing too
  wrong.on('said', () => {});
}

/** As a component keeps it. */
export function kept(one: ReturnType<typeof connect>): void {
  one.emit('anything', 1);
  one.on('anything', (value: number) => value);
  const typed: ReturnType<typeof connect> = connect<ServerToClient, ClientToServer>();
  typed.disconnect();
}

interface Other {
  said(n: number): void;
}

/** As it goes to a module that takes sockets of other events. */
export function handedOn(socket: Socket<ServerToClient, ClientToServer>, any: Socket): void {
  const part: Socket<Pick<ServerToClient, keyof ServerToClient>, Pick<ClientToServer, keyof ClientToServer>> = socket;
  const whole: Socket = socket;
  const named: Socket<ServerToClient, ClientToServer> = any;
  // @ts-expect-error it listens to others
  const otherListen: Socket<{ [Name in keyof ServerToClient]: (other: symbol) => void }, ClientToServer> = socket;
  // @ts-expect-error it emits others
  const otherEmit: Socket<ServerToClient, { [Name in keyof ClientToServer]: (other: symbol) => void }> = socket;
  void [part, whole, named, otherListen, otherEmit];
}

interface WithReserved extends Other {
  error(text: string): void;
}

interface Credentials {
  token: string;
  tenant?: string;
}

export function given(credentials: Credentials): void {
  const socket = connect<WithReserved, WithReserved>({ auth: credentials });
  connect({ auth: async () => credentials });
  connect({ auth: (give) => give(credentials) });
  // @ts-expect-error it is no object
  connect({ auth: 'token' });
  // @ts-expect-error nor is what it gives
  connect({ auth: () => 'token' });
  socket.emit('said', 1);
  // @ts-expect-error it is an event of the socket itself
  socket.emit('error', 'x');
  throw new PublicError('ERR_X', 'x', credentials);
}
