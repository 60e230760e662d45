// A scripted server behind a fake transport, in virtual time. For tests of this package.
import { json } from '@halyard/codec/json';
import { VirtualClock } from '@halyard/harness/clock';
import { type Close, defaultSettings, type Frame, type Packet, PacketType, type Value } from '@halyard/protocol';
import {
  type Address,
  type CoreOptions,
  connect,
  type Link,
  type LinkEvents,
  type Socket,
  type Transport,
} from '../src/core';

const codec = json();

/** One link of a fake transport, with the server's end in the test's hands. */
export class FakeLink implements Link {
  readonly name: string;
  bufferedBytes = 0;
  frameBytesMax: number | undefined;
  /** What the client has sent and the test has not yet read. */
  inbox: Packet[] = [];
  closed: { code: number; reason: string } | undefined;
  readonly address: Address;
  readonly #events: LinkEvents;

  constructor(name: string, address: Address, events: LinkEvents) {
    this.name = name;
    this.address = address;
    this.#events = events;
  }

  send(frame: Frame): void {
    if (!this.closed) this.inbox.push(codec.decode(frame));
  }

  close(code: number, reason: string): void {
    this.closed ??= { code, reason };
  }

  /** The link is open. @returns HELLO and what came with it */
  async open(): Promise<Packet[]> {
    this.#events.onOpen();
    return this.read();
  }

  /** @returns what was sent since the last call */
  async read(): Promise<Packet[]> {
    await settle();
    return this.inbox.splice(0);
  }

  async say(...packets: Packet[]): Promise<void> {
    for (const packet of packets) if (!this.closed) this.#events.onFrame(codec.encode(packet));
    await settle();
  }

  async sayFrame(frame: Frame): Promise<void> {
    this.#events.onFrame(frame);
    await settle();
  }

  async drop(close: Partial<Close> = {}): Promise<void> {
    if (!this.closed) this.#events.onClose({ code: 1006, reason: 'cut', by: 'network', ...close });
    await settle();
  }
}

export class FakeTransport implements Transport {
  readonly name: string;
  readonly links: FakeLink[] = [];

  constructor(name: string) {
    this.name = name;
  }

  open(address: Address, events: LinkEvents): FakeLink {
    const link = new FakeLink(this.name, address, events);
    this.links.push(link);
    return link;
  }

  /** The newest link. */
  get link(): FakeLink {
    const link = this.links.at(-1);
    if (!link) throw new Error(`${this.name} was not tried`);
    return link;
  }
}

export interface Scene {
  clock: VirtualClock;
  transport: FakeTransport;
  socket: Socket;
  /** What happened to the socket, in order. */
  log: unknown[][];
  advance(ms: number): Promise<void>;
}

export function scene({ url, ...options }: Partial<CoreOptions> & { url?: string } = {}): Scene {
  const clock = new VirtualClock();
  const transport = new FakeTransport('fake');
  const socket = connect(url ?? 'http://app.example', {
    codec,
    transport,
    clock,
    random: () => 0.5,
    ...options,
  });
  const log: unknown[][] = [];
  watch(socket, log);
  const advance = async (ms: number) => {
    await settle();
    clock.advance(ms);
    await settle();
  };
  return { clock, transport, socket, log, advance };
}

/** Writes a socket's lifecycle into `log`. */
export function watch(socket: Socket, log: unknown[][], name = ''): void {
  socket.on('connect', (info) => log.push([`${name}connect`, info]));
  socket.on('disconnect', ({ code, by, willReconnect }) => log.push([`${name}disconnect`, code, by, willReconnect]));
  socket.on('connect_error', (error) => log.push([`${name}connect_error`, error.code]));
  socket.on('error', (error) => log.push([`${name}error`, (error as { code?: string }).code ?? `${error}`]));
}

/** Lets every promise that can go on do so. */
export async function settle(): Promise<void> {
  for (let i = 0; i < 20; i++) await undefined;
}

/** A promise and the function that resolves it. */
export function deferred<Result = void>(): { promise: Promise<Result>; resolve: (result: Result) => void } {
  let resolve!: (result: Result) => void;
  const promise = new Promise<Result>((done) => {
    resolve = done;
  });
  return { promise, resolve };
}

export function welcome(fields: Partial<Extract<Packet, { type: 1 }>> = {}): Packet {
  return {
    type: PacketType.Welcome,
    session: 's1',
    secret: 'k1',
    settings: defaultSettings,
    received: 0,
    recovered: false,
    reason: '',
    ...fields,
  };
}

export const connected = (namespace = '/', id = 'id1', renewMs?: number): Packet => ({
  type: PacketType.Connected,
  namespace,
  id,
  renewMs,
});

export const event = (name: string, args: Value[] = [], ack?: number, namespace = '/'): Packet => ({
  type: PacketType.Event,
  namespace,
  event: name,
  args,
  ack,
});

/** A socket that is connected, with everything read. */
export async function open(options: Parameters<typeof scene>[0] = {}): Promise<Scene & { link: FakeLink }> {
  const all = scene(options);
  const { link } = all.transport;
  await link.open();
  await link.say(welcome(), connected());
  await link.read();
  return { ...all, link };
}

/** A packet in few words: `EVENT / hi [1]`. */
export function brief(packet: Packet): string {
  switch (packet.type) {
    case PacketType.Hello:
      return `HELLO ${packet.namespaces.map(({ namespace, auth }) => namespace + (auth === undefined ? '' : JSON.stringify(auth))).join(' ')}${packet.resume ? ` resume ${packet.resume.session} ${packet.resume.received} ${packet.resume.confirmed}` : ''}`;
    case PacketType.Event:
      return `EVENT ${packet.namespace} ${packet.event} ${JSON.stringify(packet.args)}${packet.ack ? ` #${packet.ack}` : ''}`;
    case PacketType.Volatile:
      return `VOLATILE ${packet.event}`;
    case PacketType.Ack:
      return `ACK #${packet.ack} ${JSON.stringify(packet.value)}`;
    case PacketType.Error:
      return `ERROR #${packet.ack} ${packet.code} ${packet.message} ${JSON.stringify(packet.data)}`;
    case PacketType.Connect:
      return `CONNECT ${packet.namespace} ${JSON.stringify(packet.auth)}`;
    case PacketType.Renew:
      return `RENEW ${packet.namespace} ${JSON.stringify(packet.auth)} #${packet.ack}`;
    case PacketType.Disconnect:
      return `DISCONNECT ${packet.namespace}`;
    case PacketType.Reset:
      return 'RESET';
    case PacketType.Sack:
      return `SACK ${packet.received}`;
    case PacketType.Ping:
      return 'PING';
    case PacketType.Pong:
      return 'PONG';
    default:
      return `type ${packet.type}`;
  }
}

export const briefs = (packets: Packet[]): string[] => packets.map(brief);
