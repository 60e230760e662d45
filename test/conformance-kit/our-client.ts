// Our own client as the kit drives it: a line of JSON in is a command, one out is a report (docs/CONFORMANCE.md).
import { createInterface } from 'node:readline';
import { type ClientOptions, connect, polling, type Socket, sse, websocket } from '@halyard/client';
import { json } from '@halyard/codec/json';
import { msgpack } from '@halyard/codec-msgpack';
import { protobuf } from '@halyard/codec-protobuf';
import { type HalyardError, PublicError, type Value } from '@halyard/protocol';

interface Command {
  readonly do: string;
  readonly url: string;
  readonly transport: 'websocket' | 'sse' | 'polling';
  readonly codec: 'json' | 'msgpack' | 'protobuf';
  readonly namespaces: readonly (readonly [name: string, auth?: { token: string }])[];
  readonly retryMsMax: number;
  readonly namespace: string;
  readonly auth: { token: string } | undefined;
  readonly event: string;
  readonly args: unknown;
  readonly reply: string | undefined;
  readonly value: unknown;
  readonly code: string | undefined;
  readonly message: string;
}

const transports = { websocket, sse, polling };
const codecs = { json, msgpack, protobuf };
const sockets = new Map<string, Socket>();
let options: ClientOptions = {};
let url = '';

/** Grows with every "reset": what is told of the client before is not told any more. */
let era = 0;

const write = (is: string, more: object): void => void process.stdout.write(`${JSON.stringify({ is, ...more })}\n`);

/** @returns a function that tells what becomes of the client of now */
function reporter(): (is: string, more?: object) => void {
  const mine = era;
  return (is, more = {}) => {
    if (mine === era) write(is, more);
  };
}

function ready(): void {
  const can = ['strict', 'resume', 'token', 'namespaces', 'volatile', 'renew', 'drain', 'reset'];
  write('ready', { transports: Object.keys(transports), codecs: Object.keys(codecs), can });
}

/** Values go over the pipe in the notation that JSON has for them on the wire (docs/PROTOCOL.md §4). */
function valuesOf(given: unknown): readonly Value[] {
  const packet = json().decode(JSON.stringify([6, '/', 'x', given ?? []]));
  return (packet as { readonly args: readonly Value[] }).args;
}
function written(args: readonly unknown[]): unknown {
  const frame = json().encode({ type: 6, namespace: '/', event: 'x', args: args as readonly Value[] });
  return (JSON.parse(frame as string) as unknown[])[3];
}

function open(namespace: string, auth: Command['auth']): void {
  const report = reporter();
  const first = [...sockets.values()][0];
  const socket = first ? first.of(namespace, { auth }) : connect(`${url}${namespace}`, { ...options, auth });
  if (sockets.has(namespace)) {
    socket.connect();
    return;
  }
  sockets.set(namespace, socket);
  socket.onAny((event, ...args) => report('event', { namespace, event, args: written(args) }));
  socket.on('connect', ({ recovered, unconfirmed }) => report('connected', { namespace, recovered, unconfirmed }));
  socket.on('disconnect', ({ by, willReconnect }) => {
    if (by === 'server' && !willReconnect && socket.connection.state === 'open') report('disconnected', { namespace });
  });
  socket.on('connect_error', (error: HalyardError) => {
    if (error instanceof PublicError) report('refused', { namespace, code: error.code });
  });
  socket.on('error', () => {});
  if (first) return;
  socket.connection.on('state', (change) => {
    if (change.to === 'closed') report('closed', { code: change.close.code });
  });
}

function obey(command: Command): void {
  const { namespace = '/', event, reply } = command;
  const socket = sockets.get(namespace);
  const report = reporter();
  switch (command.do) {
    case 'connect': {
      const { origin, pathname } = new URL(command.url);
      url = origin;
      const { retryMsMax } = command;
      options = {
        path: pathname,
        codec: codecs[command.codec](),
        transports: [transports[command.transport]()],
        reconnect: { delayMinMs: 1, delayMaxMs: retryMsMax },
      };
      for (const [name, auth] of command.namespaces) open(name, auth);
      return;
    }
    case 'emit':
      if (reply === undefined) socket?.emit(event, ...valuesOf(command.args));
      else
        socket?.emitWithAck(event, ...valuesOf(command.args)).then(
          (value) => report('reply', { to: reply, value: (written([value ?? null]) as unknown[])[0] }),
          (error: HalyardError) => report('reply', { to: reply, code: error.code }),
        );
      return;
    case 'volatile':
      socket?.volatile.emit(event, ...valuesOf(command.args));
      return;
    case 'answer': {
      const { code, message } = command;
      socket?.on(event, () => {
        if (code !== undefined) throw new PublicError(code, message);
        return valuesOf([command.value])[0];
      });
      return;
    }
    case 'join':
      open(namespace, command.auth);
      return;
    case 'auth':
      if (socket !== undefined) socket.auth = command.auth;
      return;
    case 'leave':
      socket?.disconnect();
      return;
    case 'close':
      [...sockets.values()][0]?.connection.close();
      return;
    case 'reset':
      era++;
      [...sockets.values()][0]?.connection.close();
      sockets.clear();
      ready();
      return;
    case 'sync':
      report('synced');
      return;
    default:
      throw new Error(`no command: ${command.do}`);
  }
}

createInterface({ input: process.stdin })
  .on('line', (line) => obey(JSON.parse(line) as Command))
  .on('close', () => process.exit());
ready();
