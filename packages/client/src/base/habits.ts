// What users of Socket.IO type, and beginners: here it is not undefined, or refused by its name alone, but answered with what does it.
// In Node and in what a bundler makes for development; in production it is not there.
import {
  answerMissing,
  type Close,
  CloseCode,
  isMissedCallback,
  LocalUsageError,
  type MissingMembers,
  missedCallbackOf,
} from '@halyard/protocol';
import { optionError } from './option-error';

const attempts = 'take reconnect: { attemptsMax: 5 }';
const certificate = 'NODE_EXTRA_CA_CERTS=ca.pem in the environment of Node lets in a certificate of your own';

/** By an option of Socket.IO's: what does it here. */
const options: Readonly<Record<string, string>> = {
  query: 'take auth: { … }; what is in a URL ends in logs',
  token: 'take auth: { token }',
  headers: 'take extraHeaders: { … }',
  reconnection: 'take reconnect: { attemptsMax: 0 } for never',
  reconnectionAttempts: attempts,
  attempts,
  maxAttempts: attempts,
  reconnectionDelay: 'take reconnect: { delayMinMs: 500 }',
  reconnectionDelayMax: 'take reconnect: { delayMaxMs: 10_000 }',
  randomizationFactor: 'waits are always spread',
  timeout: 'take connectTimeoutMs',
  ackTimeout: 'take ackTimeoutMs',
  retries: 'what is emitted is sent again by itself, and handled once',
  forceNew: 'each connect() makes a connection of its own',
  multiplex: 'socket.of("/other") is another namespace over the same connection',
  upgrade: 'take switchDelayMs: Infinity for never',
  rememberUpgrade: 'what has carried is remembered',
  tryAllTransports: 'all transports are tried',
  addTrailingSlash: 'take path, as it is to be',
  parser: 'take codec: msgpack()',
  codecs: 'take codec: msgpack(), for a client speaks one',
  transport: 'take transports: ["websocket"]',
  rejectUnauthorized: certificate,
  ca: certificate,
  agent: "connections are Node's, or the browser's, own",
  protocols: 'the subprotocol is that of Halyard',
};

const listeners = 'it does not give its listeners';
const rooms = 'rooms are of the server: emit an event whose handler there does it';

/** By whose members they are. */
const members = {
  socket: {
    io: 'its connection is socket.connection: on("state", …), state, transport',
    nsp: 'its namespace is socket.namespace',
    disconnected: 'take !socket.connected',
    open: 'take socket.connect()',
    close: 'take socket.disconnect()',
    send: 'name the event: socket.emit("message", …)',
    compress: 'compression is an option of the server, perMessageDeflate',
    sendBuffer: 'offlinePacketsMax and offlineBytesMax bound what waits',
    receiveBuffer: 'what comes is handled at once',
    join: rooms,
    leave: rooms,
    to: rooms,
    in: rooms,
    rooms,
    broadcast: rooms,
    hasListeners: listeners,
    listeners,
    listenersAny: listeners,
    listenersAnyOutgoing: listeners,
    listenerCount: listeners,
  },
  'socket.volatile': {
    emitWithAck: 'what may be dropped has no reply: take socket.emitWithAck(event, …)',
    timeout: 'what may be dropped is sent at once, or not: take socket.timeout(ms).emit(event, …)',
  },
  'socket.timeout(ms)': { volatile: 'take socket.volatile, which waits for nothing' },
  'socket.connection': {
    engine: 'the name of its transport is socket.connection.transport',
    opts: 'options are said once, to connect()',
    once: 'take on("state", …)',
    connect: 'take socket.connect()',
    open: 'take socket.connect()',
    socket: 'take socket.of("/other")',
    reconnection: 'it is the option reconnect of connect()',
    reconnectionAttempts: 'it is the option reconnect of connect()',
  },
} as const satisfies Record<string, MissingMembers>;

const events: Readonly<Record<string, string>> = {
  connection: 'it hears of its own connection by "connect"',
  disconnecting: 'it is told by "disconnect", once it is',
  away: 'socket.connection.on("state", …) tells when the connection is lost',
  resume: 'it is told by "connect", with recovered: true',
  moved: 'a session that moves between servers is told by "connect", with recovered: true',
};

/** Socket.IO's own once, and names that an app may give to its events. */
const former = new Set([
  'connecting',
  'connect_failed',
  'connect_timeout',
  'reconnect',
  'reconnecting',
  'reconnect_attempt',
  'reconnect_error',
  'reconnect_failed',
]);

/** Says on the console, once for each, that nobody tells of them but the app itself. */
function lookForFormer(event: string): void {
  if (!former.delete(event)) return;
  console.warn(
    `Halyard: on("${event}") hears what the server emits by this name. What a client tells itself is "connect", each time that it is ` +
      'connected, and "connect_error"; socket.connection.on("state", …) tells of every attempt.',
  );
}

/** By who is listened to: the rule of an event that never comes; undefined for all others. */
const neverCome: Partial<Record<keyof typeof members, (event: string) => string | undefined>> = {
  socket: (event) => (Object.hasOwn(events, event) ? events[event] : undefined),
  'socket.connection': (event) =>
    event === 'state' ? undefined : 'there is "state" alone, which tells from, to, attempt and transport',
};

/** What members come from, by whose they are: made once. */
const prototypes = new Map<string, object>();

function prototypeOf(owner: keyof typeof members): object {
  const known = prototypes.get(owner);
  if (known !== undefined) return known;
  const prototype = Object.create(Object.prototype);
  answerMissing(prototype, owner, members[owner]);
  prototypes.set(owner, prototype);
  return prototype;
}

function checkNames(given: object): void {
  for (const name of Object.keys(given)) {
    if (name === 'token' && typeof (given as { token: unknown }).token === 'function') continue;
    // Of a client whose transport is chosen by value.
    if (name === 'transport' && typeof (given as { transport: unknown }).transport !== 'string') continue;
    if (Object.hasOwn(options, name)) throw optionError(name, `no such option: ${options[name]}`);
  }
}

/**
 * @param url where options may be given in its place
 * @throws LocalUsageError `ERR_OPTION` for an option of Socket.IO's, and for values that options cannot have
 */
export function checkHabits(given: unknown, url?: unknown): void {
  if (given === undefined) return;
  if (typeof url === 'object' && url !== null && !('href' in url))
    throw optionError('options', 'given once: connect(options), or connect(url, options)');
  if (typeof given !== 'object' || given === null || Array.isArray(given))
    throw optionError('options', 'an object, such as { auth: { token } }');
  checkNames(given);
  const { autoConnect, reconnect, auth, extraHeaders } = given as Readonly<Record<string, unknown>>;
  if (Array.isArray(auth) || !['undefined', 'object', 'function'].includes(typeof auth))
    throw optionError('auth', 'an object, such as { token }, or a function that gives one');
  const headers = extraHeaders ?? {};
  if (typeof headers !== 'object' || Symbol.iterator in headers)
    throw optionError(
      'extraHeaders',
      'an object, such as { authorization }; of Headers or a Map, Object.fromEntries(…)',
    );
  if (typeof (autoConnect ?? true) !== 'boolean') throw optionError('autoConnect', 'true or false');
  if (typeof reconnect === 'object' && reconnect !== null) checkNames(reconnect);
  for (const name of ['attemptsMax', 'delayMinMs', 'delayMaxMs'])
    if (Object.hasOwn(given, name)) throw optionError(name, `within reconnect: { ${name} }`);
}

/** Gives an object members that throw `ERR_NO_SUCH_MEMBER`; and to listen for what never comes throws `ERR_RESERVED_EVENT`. */
export function answerHabits(owner: keyof typeof members, object: object): void {
  const prototype = prototypeOf(owner);
  // All sockets share a connection.
  if (Object.getPrototypeOf(object) === prototype) return;
  Object.setPrototypeOf(object, prototype);
  const neverOf = neverCome[owner];
  if (neverOf === undefined) return;
  for (const name of ['on', 'once']) {
    const listen = Object.getOwnPropertyDescriptor(object, name)?.value;
    if (listen === undefined) continue;
    const checked = (event: string, ...others: unknown[]): unknown => {
      if (typeof event !== 'string')
        throw new LocalUsageError('ERR_EVENT_NAME', `${owner}: the name of an event is text, and not ${String(event)}`);
      const rule = neverOf(event);
      if (rule === undefined) {
        lookForFormer(event);
        return listen(event, ...others);
      }
      throw new LocalUsageError('ERR_RESERVED_EVENT', `${owner} of a client has no event "${event}": ${rule}.`);
    };
    Object.defineProperty(object, name, { value: checked, configurable: true, enumerable: true, writable: true });
  }
}

/** @throws LocalUsageError `ERR_OPTION` for a host with its port alone, of which the host is a scheme to URLs */
export function checkScheme(url: unknown): void {
  if (/^[\w.-]+:\d+(\/|$)/.test(`${url}`)) throw optionError('url', `with its scheme, such as http://${url}`);
}

/** That of nobody (RFC 6761 §6.4). */
const nobody = 'http://page.invalid';

/** @returns in place of the page's own server, where there is no page: what is relative to a page's origin is relative to that */
export function standIn(url: unknown): string | undefined {
  return url == null || /^\/(?![/\\])/.test(`${url}`) ? nobody : undefined;
}

const noPage =
  'nothing is connected: connect() has no whole URL, such as https://app.example, and there is no page here that it could be ' +
  'relative to. Where pages are rendered on a server let it be, with { autoConnect: false }, and connect in the browser';

/**
 * A module of a page says `connect()` also where the page is rendered on a server: nothing is connected there, and whoever wants it to be
 * is told.
 * @returns options that are good for this origin
 */
export function atHome<Options extends { readonly transport: object }>(options: Options, origin: string): Options {
  return origin === nobody ? { ...options, transport: nowhere } : options;
}

const nowhere = {
  name: 'none',
  open(_address: unknown, { onClose }: { onClose(close: Close): void }): object {
    console.warn(`Halyard: ${noPage}.`);
    void Promise.resolve().then(() =>
      onClose({ code: CloseCode.BadPacket, reason: `ERR_OPTION: ${noPage}`, by: 'server' }),
    );
    return { name: 'none', bufferedBytes: 0, send() {}, close() {} };
  },
};

/** Says in the error of a handler that has called what it is not given what to do instead. */
export function explain(error: unknown): void {
  if (!isMissedCallback(error)) return;
  try {
    error.message += ': a handler is given no callback, what it returns, or its promise resolves to, is the reply';
  } catch {
    // It is frozen.
  }
}

const missedMax = 100;
/** Events of which that was said already. */
const missed = new Set<string>();

/** Says on the console, once for each event, that a handler which has returned nothing is given no callback for a reply that is waited for. */
export function lookForCallback(
  event: string,
  handlers: readonly ((...args: never[]) => unknown)[],
  args: readonly unknown[],
  value: unknown,
): void {
  if (value !== undefined || missed.has(event) || missed.size >= missedMax) return;
  const message = missedCallbackOf(event, handlers, args.length);
  if (message === undefined) return;
  missed.add(event);
  console.warn(`Halyard: ${message}`);
}
