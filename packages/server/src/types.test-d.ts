// What must compile, and what must not. Checked by the compiler, never run.
import { contract, type Incoming, type Outgoing, type Schema } from '@halyard/contract';
import { type AnyEvents, type PublicError, Server, type ServerOptions, type Socket, type Target } from './index';

interface ClientToServer {
  add(a: number, b?: number): number;
  note(text: string): void;
}
interface ServerToClient {
  message(m: { from: string; text: string }): void;
  ask(question: string): boolean;
}
interface Data {
  user: string;
}

const io = new Server<ClientToServer, ServerToClient, Data>();

io.use((handshake) => {
  handshake.data.user = String(handshake.auth.token);
  // @ts-expect-error user is text
  handshake.data.user = 1;
});

io.on('connection', (socket) => {
  socket.on('add', (a, b = 1) => a + b);
  socket.on('add', async (a) => a);
  socket.on('note', async () => {});
  // Whose reply is void may return anything.
  socket.on('note', (text) => text.length);
  socket.on('note', async (text) => text.length);
  socket.on('note', (text) => new Map().set(text, 1));
  socket.once('note', () => socket);
  socket.on('disconnect', ({ code }) => code + 1);
  socket.on('disconnecting', ({ code }) => [
    code,
    socket.handshake.query.room?.length,
    socket.handshake.time.getTime(),
  ]);
  socket.removeAllListeners('note').removeAllListeners('disconnect').removeAllListeners();
  // @ts-expect-error there is no such event
  socket.removeAllListeners('notes');
  // @ts-expect-error there is no such event
  socket.on('subtract', () => 1);
  // @ts-expect-error the reply is a number
  socket.on('add', () => 'one');
  // @ts-expect-error the argument is a number
  socket.on('add', (a: string) => a.length);

  socket.emit('message', { from: socket.data.user, text: 'hi' });
  // @ts-expect-error there is no such event
  socket.emit('massage', { from: '', text: '' });
  // @ts-expect-error text is missing
  socket.emit('message', { from: '' });
  // @ts-expect-error one argument
  socket.emit('message');
  // @ts-expect-error socket.data has no such member
  socket.data.name;

  const reply: Promise<boolean> = socket.emitWithAck('ask', 'why');
  // @ts-expect-error the reply is a boolean
  const wrong: Promise<string> = socket.timeout(10).emitWithAck('ask', 'why');
  socket.to('room').volatile.emit('message', { from: '', text: '' });
  // @ts-expect-error the argument is wrong
  socket.to('room').emit('ask', 1);
  void [reply, wrong];
});

const replies: Promise<{ replies: boolean[]; missing: string[] }> = io.to('room').timeout(5).emitWithAck('ask', 'why');
// @ts-expect-error there is no such event
io.emit('nothing');
void replies;

const chat = io.of<ClientToServer, ServerToClient, Data>('/chat');
chat.emit('message', { from: '', text: '' });
// @ts-expect-error text is missing
chat.in('room').emit('message', { from: '' });
io.of<ClientToServer, ServerToClient, Data>(/^\/room-/).on('connection', (socket) => {
  socket.emit('message', { from: socket.data.user, text: '' });
});

interface BetweenServers {
  reload(at: number): string;
}
const clustered = new Server<ClientToServer, ServerToClient, Data, BetweenServers>();
clustered.on('reload', (at) => String(at + 1));
clustered.serverSideEmit('reload', 1);
const reloaded: Promise<{ replies: string[]; missing: string[] }> = clustered.serverSideEmitWithAck('reload', 1);
// @ts-expect-error there is no such event
clustered.serverSideEmit('relaod', 1);
// @ts-expect-error the argument is a number
clustered.serverSideEmit('reload', 'now');
// @ts-expect-error the reply is text
clustered.on('reload', (at) => at);
void reloaded;
void (async () => {
  const sockets = await clustered.in('room').fetchSockets();
  sockets[0]?.emit('message', { from: sockets[0].data.user, text: sockets.missing.join() });
  // @ts-expect-error there is no such event
  sockets[0]?.emit('massage');
  const { count, missing } = await chat.count();
  return [count + 1, missing.length];
})();

// Without maps anything goes.
const untyped = new Server();
untyped.on('connection', (socket) => {
  socket.on('anything', (a, b) => [a, b]);
  socket.emit('whatever', 1, 'two');
  socket.data.free = true;
});

new Server({ allowRequest: ({ url }) => url.length < 100 });
new Server({
  allowRequest: async ({ headers }) => (headers.get('x') ? undefined : { status: 429, message: 'Later.' }),
});
new Server({
  allowRequest: () => {
    throw new Error();
  },
});
// @ts-expect-error a refusal has a status
new Server({ allowRequest: () => ({ message: 'No.' }) });

// @ts-expect-error there is no such option
new Server({ hearbeatMs: 1 });

// @ts-expect-error options come first
new Server(undefined, { path: '/x' });

// By a contract its events are those of the server.
declare const text: Schema<string>;
declare const date: Schema<string, Date>;
declare const id: Schema<{ id: string }>;
const parts = contract({
  clientToServer: { say: { args: [text, date], reply: id }, leave: {} },
  serverToClient: { said: { args: [text, date] }, ask: { args: [text], reply: date } },
});
const byContract = new Server({ contract: parts });
byContract.on('connection', (socket) => {
  socket.on('say', (room, at) => ({ id: `${room.length} ${at.getTime()}` }));
  socket.on('leave', () => 'whatever');
  // @ts-expect-error the reply has an id
  socket.on('say', () => 'a');
  // @ts-expect-error there is no such event
  socket.on('sing', () => {});
  socket.emit('said', 'a', 'b');
  // @ts-expect-error it is sent as text
  socket.emit('said', 'a', new Date());
  const at: Promise<Date> = socket.emitWithAck('ask', 'when');
  socket.data.free = true;
  void at;
});
byContract.guard('say', (socket, room, at) => socket.rooms.has(room) && at.getTime() > 0);
byContract.guard(['say', 'leave'], async ({ data }) => data.user === 'ann');
byContract.guard(['say', 'leave'], (_socket, room) => room !== undefined && room.length > 0);
// @ts-expect-error some have none
byContract.guard(['say', 'leave'], (_socket, room) => room.length > 0);
// @ts-expect-error nothing is no answer
byContract.guard('say', () => {});
// @ts-expect-error it has to be sure
byContract.guard('say', (socket) => socket.rooms.has('a') || undefined);
// @ts-expect-error there is no such event
byContract.guard('sing', () => true);
byContract.on('refused', (_socket, event, error: PublicError) => [event, error.code]);

const named = new Server<Incoming<typeof parts>, Outgoing<typeof parts>, Data>({ contract: parts });
named.on('connection', (socket) => socket.data.user.length);
const inNamespace = byContract.of('/parts', { contract: parts });
inNamespace.emit('said', 'a', 'b');
// @ts-expect-error there is no such event
inNamespace.emit('sung');
byContract.of(/^\/parts/, { contract: parts }).on('connection', (socket) => socket.on('leave', () => {}));
const given: ServerOptions = { contract: parts, validateEmits: true };
new Server<ClientToServer, ServerToClient>(given);
io.guard('add', (_socket, a, b) => a > (b ?? 0));

interface User {
  name: string;
}

/** As an app's own helper, which does not care what is kept with a socket, or what it says. */
function idOf(socket: Socket): string {
  return socket.id;
}

const users = new Server<AnyEvents, AnyEvents, User>();
users.on('connection', (socket) => idOf(socket) + socket.data.name.length);
// Who says nothing of it has it as it comes.
new Server().on('connection', (socket) => socket.data.name.length);

/** Replies of which a part is one of some words. */
interface Replying {
  a(): 'ok' | 'no';
  b(x: number): { ok: true } | { ok: false; error: string };
  c(): [number, string];
  d(name: string): 'ok' | 'no';
  e(): { kind: 'x'; n: { deep: 'y' | 'z' } };
  f(x: number): void;
}
export function literals(s: Socket<Replying, Replying, object>): void {
  s.on('a', () => 'ok');
  s.on('b', () => ({ ok: true }));
  s.on('b', async () => ({ ok: true }));
  s.on('b', (x) => (x > 1 ? { ok: true } : { ok: false, error: 'no' }));
  s.on('b', async (x) => (x > 1 ? { ok: true } : { ok: false, error: 'no' }));
  s.on('c', () => [1, 'a']);
  s.on('c', async () => [1, 'a']);
  s.on('d', (name) => (name ? 'ok' : 'no'));
  s.on('d', async (name) => (name ? 'ok' : 'no'));
  s.on('e', () => ({ kind: 'x', n: { deep: 'y' } }));
  s.once('e', async () => ({ kind: 'x', n: { deep: 'y' } }));
  s.on('f', (x) => x);
  s.on('f', async () => 1);
  s.on('disconnect', ({ code }) => void code.toFixed());
  // @ts-expect-error another reply
  s.on('a', () => 'maybe');
  // @ts-expect-error of another kind
  s.on('b', async () => ({ ok: 1 }));
  // @ts-expect-error there is no such event
  s.on('zzz', () => 'ok');
}

interface OtherEvents {
  a(n: symbol): void;
  f(x: string): void;
}

/** As it goes to a module that takes sockets, targets or servers of other events. */
export function handedOn(
  socket: Socket<Replying, Replying>,
  server: Server<Replying, Replying>,
  target: Target<Replying>,
  any: Socket,
): void {
  const whole: Socket = socket;
  const part: Socket<Pick<Replying, 'a'>, Pick<Replying, 'b'>> = socket;
  const named: Socket<Replying, Replying> = any;
  const partTarget: Target<Pick<Replying, 'a'>> = target;
  // @ts-expect-error it handles others
  const otherIn: Socket<OtherEvents, Replying> = socket;
  // @ts-expect-error it is sent others
  const otherOut: Socket<Replying, OtherEvents> = socket;
  // @ts-expect-error so is it
  const otherTarget: Target<OtherEvents> = target;
  // @ts-expect-error and all of a server
  const otherServer: Target<OtherEvents> = server;
  void [whole, part, named, partTarget, otherIn, otherOut, otherTarget, otherServer];
}

interface WithReserved {
  error(text: string): void;
  said(text: string): PromiseLike<string>;
}

export function reserved(server: Server<WithReserved, WithReserved>, socket: Socket<WithReserved, WithReserved>): void {
  server.emit('said', 'x');
  // @ts-expect-error it is an event of sockets themselves
  server.emit('error', 'x');
  // @ts-expect-error so it is to a room
  server.to('a').latest('error').emit('x');
  // @ts-expect-error so it is of a socket
  void socket.emitWithAck('error', 'x');
  // @ts-expect-error nobody can listen to it
  socket.on('error', () => {});
  socket.on('said', (text): PromiseLike<string> => Promise.resolve(text));
}
