// What Socket.IO has under some names, and its users type: here these are not undefined, but say where it is.
import { isReservedEvent, LocalUsageError, type MissingMembers } from '@halyard/protocol';
import { isAlike } from '../base/alike';
import { given } from '../base/given';
import { reportEvents } from '../namespace/report-events';
import { roomEvents } from '../namespace/room-events';

/** Members of a socket. */
export const socketHabits: MissingMembers = {
  nsp: 'the name of its namespace is socket.namespace, and io.of(socket.namespace) is that itself',
  client: 'the software that it says it is is socket.handshake.client, and its connection socket.conn',
  request:
    'the request is in socket.handshake: headers, query, url, address. What Express puts on it is read as examples/auth shows',
  compress: 'compression is the option perMessageDeflate',
  server: 'it is the one that you have made',
  adapter: 'rooms and who is in them are io.of(name).rooms; its own rooms are socket.rooms',
  disconnected: 'take !socket.connected; socket.away tells that it may come back',
  local: 'io.of(name).local.except(socket.id) are the others on this server',
  send: 'name the event: socket.emit("message", …)',
  write: 'name the event: socket.emit("message", …)',
  listeners: 'a socket does not give its handlers',
  listenersAny: 'a socket does not give its handlers',
  listenerCount: 'a socket does not count its handlers',
  eventNames: 'a socket does not give its handlers',
  prependAnyOutgoing: 'take socket.onAnyOutgoing(handler)',
  leaveAll: 'take socket.leave([...socket.rooms])',
};

/** Members of what `socket.conn` gives. */
export const connHabits: MissingMembers = {
  on: 'socket.on("away", …), socket.on("resume", …) and socket.on("disconnect", …) tell what becomes of its connection',
  once: 'socket.on("away", …), socket.on("resume", …) and socket.on("disconnect", …) tell what becomes of its connection',
  remoteAddress: 'take socket.handshake.address',
  request: 'the request is in socket.handshake: headers, query, url, address',
  id: 'a session has one connection after another: take socket.id',
  protocol: 'take socket.handshake.client for the software of the client',
  close: 'take socket.disconnect(true)',
  readyState: 'socket.away tells whether it is there',
};

/** Members of a socket of another server, as `fetchSockets` gives it. */
export const elsewhereHabits: MissingMembers = Object.fromEntries(
  [
    ...['on', 'once', 'off', 'onAny', 'use', 'conn', 'away', 'connected', 'recovered', 'transport', 'volatile'],
    ...['to', 'in', 'except', 'broadcast', 'local', 'save', 'client', 'request', 'nsp', 'disconnected', 'send'],
  ].map((name) => [
    name,
    'it is a socket of another server, of which there is id, namespace, handshake, data, rooms, emit, emitDurable, emitWithAck, timeout, join, leave ' +
      'and disconnect; io.serverSideEmit(event, …) has that server do more',
  ]),
);

/** Members of a server. */
export const serverHabits: MissingMembers = {
  engine:
    'io.sockets.size is how many are connected; what is refused is counted by io.metrics(); allowRequest decides before a handshake, ' +
    "ids are the server's own, and a session of Express is read in io.use: examples/auth",
  adapter: 'it is an option: new Server({ adapter: redis({ url }) }); rooms and who is in them are io.of(name).rooms',
  bind: 'there is no engine below: await io.attach(httpServer), or io.listen(port)',
  httpServer: 'it is the one that you have given to attach()',
  path: 'it is an option alone: new Server({ path })',
  origins: 'it is an option: new Server({ origins: ["https://app.example"] })',
  once: 'take io.on(event, handler)',
  listeners: 'a server does not give its handlers',
  listenerCount: 'a server does not count its handlers',
  clients: 'take await io.fetchSockets(), or io.sockets for those of this server',
  connected: 'take io.sockets, the Map of those of this server, or await io.fetchSockets()',
  off: 'a handler of a server stays: let it look whether it is wanted',
  send: 'name the event: io.emit("message", …)',
  write: 'name the event: io.emit("message", …)',
  allSockets: 'take await io.fetchSockets(), which gives sockets: each has its id',
  compress: 'compression is the option perMessageDeflate',
  removeAllListeners: 'a handler of a server stays: let it look whether it is wanted',
  broadcast: 'take io.emit(event, …), or socket.broadcast.emit(event, …) for all but one',
  onAny: 'each socket has its own: socket.onAny((event, …) => …) within io.on("connection", (socket) => …)',
};

/** Members of a target. */
export const targetHabits: MissingMembers = {
  allSockets: 'take await target.fetchSockets(), which gives sockets: each has its id',
  sockets: 'take await target.fetchSockets()',
  serverSideEmit: 'servers talk by io.serverSideEmit(event, …), which is of no rooms',
  serverSideEmitWithAck: 'servers talk by io.serverSideEmitWithAck(event, …), which waits for ackTimeoutMs',
  send: 'name the event: target.emit("message", …)',
  write: 'name the event: target.emit("message", …)',
  compress: 'compression is the option perMessageDeflate',
  broadcast: 'a target says itself whom it means: socket.to(room), or io.except(socket.id)',
};

/** Members of a namespace. */
export const namespaceHabits: MissingMembers = {
  adapter: 'rooms and who is in them are io.of(name).rooms; another adapter is the option adapter of new Server()',
  server: 'it is what you have called of() on',
  once: 'take on(event, handler)',
  listeners: 'a namespace does not give its handlers',
  listenerCount: 'a namespace does not count its handlers',
  clients: 'take await namespace.fetchSockets(), or namespace.sockets for those of this server',
  connected: 'take namespace.sockets, the Map of those of this server, or await namespace.fetchSockets()',
  off: 'a handler of a namespace stays: let it look whether it is wanted',
  send: 'name the event: namespace.emit("message", …)',
  write: 'name the event: namespace.emit("message", …)',
  allSockets: 'take await namespace.fetchSockets(), which gives sockets: each has its id',
  compress: 'compression is the option perMessageDeflate',
  removeAllListeners: 'a handler of a namespace stays: let it look whether it is wanted',
  serverSideEmit: 'servers talk by io.serverSideEmit(event, …), which is of no namespace',
  serverSideEmitWithAck: 'servers talk by io.serverSideEmitWithAck(event, …), which is of no namespace',
};

/** Members of what a pattern of namespaces gives. */
export const patternHabits: MissingMembers = Object.fromEntries(
  [
    ...[
      'emit',
      'emitWithAck',
      'send',
      'to',
      'in',
      'except',
      'local',
      'volatile',
      'timeout',
      'sockets',
      'rooms',
      'adapter',
    ],
    ...['fetchSockets', 'allSockets', 'socketsJoin', 'socketsLeave', 'disconnectSockets', 'serverSideEmit'],
  ].map((name) => [
    name,
    'a pattern says what its namespaces start with; each of them is io.of(name), by the whole name that a client asked for',
  ]),
);

/** Members of `io.sockets`, which is the main namespace in Socket.IO, and a Map here. */
export const socketsHabits: MissingMembers = {
  ...Object.fromEntries(
    [
      ...[
        'emit',
        'emitWithAck',
        'on',
        'once',
        'off',
        'removeAllListeners',
        'use',
        'to',
        'in',
        'except',
        'local',
        'volatile',
      ],
      ...['timeout', 'fetchSockets', 'allSockets', 'socketsJoin', 'socketsLeave', 'disconnectSockets', 'send'],
      ...['serverSideEmit', 'serverSideEmitWithAck', 'clients'],
    ].map((name) => [name, `sockets is a Map by id; the main namespace is io itself: io.${name}`]),
  ),
  sockets: 'it is that Map by id itself',
  connected: 'it is that Map by id itself: io.sockets.get(id)',
  adapter: 'rooms and who is in them are io.of(name).rooms',
};

const others = ['to', 'in', 'except', 'broadcast', 'local'];

/** Members of `volatile` of a socket. */
export const volatileHabits: MissingMembers = Object.fromEntries(
  others.map((name) => [name, 'say first who is meant: socket.to(room).volatile, or socket.broadcast.volatile']),
);

/** Members of what `timeout()` of a socket gives. */
export const timeoutHabits: MissingMembers = {
  ...Object.fromEntries(others.map((name) => [name, 'say first who is meant: socket.to(room).timeout(ms)'])),
  emit: 'take await socket.timeout(ms).emitWithAck(event, …), or socket.emit(event, …) if no reply is waited for',
};

const headerNames = [
  'accept',
  'connection',
  'upgrade',
  'cookie',
  'authorization',
  'host',
  'origin',
  'referer',
  'user-agent',
  'accept-language',
  'x-forwarded-for',
  'x-real-ip',
];

/** Header fields, which Socket.IO has as members. */
export const headersHabits: MissingMembers = Object.fromEntries(
  headerNames.map((name) => [name, `take handshake.headers.get('${name}')`]),
);

/** What stands behind the prototype of header fields: any name with a dash is one. */
export const dashedHabits = new Proxy(Object.prototype, {
  get(target, name, receiver) {
    if (typeof name !== 'string' || !/^\w+-[\w-]+$/.test(name)) return Reflect.get(target, name, receiver);
    const message = `handshake.headers['${name}'] is not there: take handshake.headers.get('${name}').`;
    throw new LocalUsageError('ERR_NO_SUCH_MEMBER', message);
  },
});

/** Members of a handshake, which middleware of a namespace gets: that of Socket.IO gets a socket. */
export const handshakeHabits: MissingMembers = Object.fromEntries(
  ['handshake', 'id', 'rooms', 'join', 'on', 'once', 'emit', 'to', 'disconnect', 'request', 'conn', 'nsp'].map(
    (name) => [
      name,
      'middleware of a namespace gets the handshake itself, before there is a socket: take its auth, headers and address, and what is to be ' +
        "the socket's goes into handshake.data",
    ],
  ),
);

/** Events that a server of Socket.IO has, or its engine, and none here. */
const serverEventHabits: MissingMembers = {
  new_namespace: 'io.of(pattern) makes namespaces on demand, and its on("connection", …) hears of their sockets',
  connection_error: 'io.metrics() counts what is refused, io.on("warning", …) tells of what an operator should know',
  initial_headers: 'a server sends no header fields of the app',
};

const ownEvents: readonly string[] = ['connection', 'session-expired', ...reportEvents, ...roomEvents];

/**
 * @param warn told of one that other servers may emit, but that looks like one of a server's own with a mistake in it
 * @throws LocalUsageError `ERR_RESERVED_EVENT` for an event of a socket's life, or one that no server has
 */
export function checkServerEvent(event: string, warn: (code: string, message: string, about: string) => void): void {
  checkName(event);
  const rule =
    event === 'connect' || event === 'connect_error'
      ? 'io.on("connection", (socket) => …) hears of each new socket'
      : isReservedEvent(event)
        ? `each socket has its own: socket.on("${event}", …) within io.on("connection", (socket) => …)`
        : Object.hasOwn(serverEventHabits, event) && serverEventHabits[event];
  if (rule) throw new LocalUsageError('ERR_RESERVED_EVENT', `A server has no event "${event}": ${rule}.`);
  const meant = ownEvents.find((own) => isAlike(event, own));
  if (meant === undefined) return;
  const hears = `io.on("${event}", …) hears what other servers emit by that name (serverSideEmit).`;
  warn('ERR_EVENT_NAME', `${hears} If "${meant}" is meant, it is mistyped.`, event);
}

/** What tells a socket's app what it asks for by an event that no socket has. */
const socketEventHabits: MissingMembers = {
  error: 'what handlers of it throw comes to io.on("error", (error, { where }) => …)',
  connection: 'io.on("connection", (socket) => …) hears of each new socket',
  connect: 'it is connected already, as io.on("connection", (socket) => …) hears of it',
  connect_error: 'the client is told why it is refused: there socket.on("connect_error", …) hears of it',
};

/** @throws LocalUsageError `ERR_RESERVED_EVENT` for an event of a server's or a client's life, which no handler of a socket would hear */
export function checkSocketEvent(event: string): void {
  checkName(event);
  if (!Object.hasOwn(socketEventHabits, event)) return;
  const message = `A socket of a server has no event "${event}": ${socketEventHabits[event]}.`;
  throw new LocalUsageError('ERR_RESERVED_EVENT', message);
}

function checkName(event: unknown): void {
  if (typeof event !== 'string')
    throw new LocalUsageError('ERR_EVENT_NAME', `The name of an event is ${given(event)}: it may be text.`);
}

/** Options where none are taken: otherwise they would be dropped in silence. @throws LocalUsageError `ERR_OPTION` */
export function refuseMore(more: unknown, rule: string): void {
  if (more !== undefined) throw new LocalUsageError('ERR_OPTION', rule, { option: 'options' });
}
