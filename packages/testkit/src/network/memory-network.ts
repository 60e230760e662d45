// WebSockets between real clients and a real server in one thread and in virtual time: a host for the one, a transport for
// the others, and between them links that die at any moment. The same random numbers make the same run.
import { TextDecoder, TextEncoder } from 'node:util';
import type { Link, LinkEvents, Transport } from '@halyard/client';
import type { VirtualClock } from '@halyard/harness/clock';
import { FakeLink, type LinkEnd, type Network, type NoticedBy, type RangeMs } from '@halyard/harness/link';
import type { Random } from '@halyard/harness/random';
import { type HostFactory, Peer } from '@halyard/server';
import { pathOf } from './url-path';

type HostHandlers = Parameters<HostFactory>[1];
type UpgradeVerdict = Awaited<ReturnType<HostHandlers['upgrade']>>;
type HostSocket = Parameters<Extract<UpgradeVerdict, { open: unknown }>['open']>[0];
type Frame = Parameters<HostSocket['send']>[0];
type Address = Parameters<Transport['open']>[0];

type Message =
  | { readonly kind: 'handshake'; readonly protocol: string }
  | { readonly kind: 'accepted' }
  | { readonly kind: 'frame'; readonly frame: Frame }
  | { readonly kind: 'close'; readonly code: number; readonly reason: string };

/** What makes a request a WebSocket handshake (RFC 6455 §4.2.1). */
const handshakeLines = [
  'connection: Upgrade',
  'upgrade: websocket',
  'sec-websocket-version: 13',
  'sec-websocket-key: aGFseWFyZCBtZW1vcnkgIQ==',
];

export class MemoryNetwork {
  /** May be changed on the way. */
  readonly network: Network;
  readonly host: HostFactory;
  readonly transport: Transport = { open: (address, events) => this.#open(address, events) };
  readonly #clock: VirtualClock;
  readonly #random: Random;
  readonly #lines: readonly string[];
  readonly #links = new Set<FakeLink<Message>>();
  readonly #topics = new Map<string, Set<ServerEnd>>();
  readonly #ends = new WeakMap<FakeLink<Message>, ServerEnd>();
  /** Connections that the server has cut, because too much waited for their clients. */
  cutsByServer = 0;
  #handlers: HostHandlers | undefined;

  /**
   * @param native whether the host has a native fan-out
   * @param lines header fields that its clients send, as `Peer` has them
   */
  constructor(clock: VirtualClock, random: Random, network: Network, native: boolean, lines: readonly string[] = []) {
    this.#lines = lines;
    this.#clock = clock;
    this.#random = random;
    this.network = network;
    this.host = async (_path, handlers) => {
      this.#handlers = handlers;
      return {
        name: 'memory',
        gathersInMessage: false,
        listen: async (port) => port,
        stopListening: () => {},
        close: async () => this.cut(),
        ...(native ? { publish: (topic, frame, binary) => this.#publish(topic, frame, binary) } : {}),
      };
    };
  }

  /** Connections that were opened, and not cut since. */
  get count(): number {
    return this.#links.size;
  }

  /** How many topics have a subscriber. */
  get topics(): number {
    return [...this.#topics.values()].filter(({ size }) => size > 0).length;
  }

  /** Every connection dies now, or one of them. @param which chosen among them @param noticedBy by chance, if it is left out */
  cut(which?: number, noticedBy?: NoticedBy, noticeMs?: RangeMs): void {
    for (const link of this.#chosen(which)) {
      link.cut(noticedBy, noticeMs);
      this.#links.delete(link);
    }
  }

  /** A client, or all of them, reads nothing for so long. */
  stall(ms: number, which?: number): void {
    for (const link of this.#chosen(which)) {
      link.stall(ms);
      this.#ends.get(link)?.stall(ms);
    }
  }

  #chosen(which: number | undefined): FakeLink<Message>[] {
    const all = [...this.#links];
    return which === undefined ? all : all.slice(which % Math.max(all.length, 1)).slice(0, 1);
  }

  #publish(topic: string, frame: Frame, binary: boolean, except?: ServerEnd): void {
    for (const end of this.#topics.get(topic) ?? []) if (end !== except) end.send(frame, binary);
  }

  #open({ protocol, url }: Address, { onOpen, onFrame, onClose }: LinkEvents): Link {
    const link = new FakeLink<Message>(this.#clock, this.#random, this.network);
    this.#links.add(link);
    this.#accept(link, url);
    const { client } = link;
    client.onFrame = (message) => {
      if (message.kind === 'accepted') onOpen();
      else if (message.kind === 'frame') onFrame(message.frame);
      else if (message.kind === 'close') {
        client.close();
        onClose({ code: message.code, reason: message.reason, by: 'server' });
      }
    };
    client.onClose = () => onClose({ code: 1006, reason: 'cut', by: 'network' });
    client.send({ kind: 'handshake', protocol });
    return {
      name: 'memory',
      bufferedBytes: 0,
      send: (frame) => client.send({ kind: 'frame', frame }),
      close: (code, reason) => {
        client.send({ kind: 'close', code, reason });
        client.close();
      },
    };
  }

  #accept(link: FakeLink<Message>, url: string): void {
    const { server } = link;
    server.onFrame = (handshake) => {
      if (handshake.kind !== 'handshake' || this.#handlers === undefined) return server.close();
      const lines = [...handshakeLines, ...this.#lines, `sec-websocket-protocol: ${handshake.protocol}`];
      const facts = { method: 'GET', path: pathOf(url), query: '', peer: new Peer('127.0.0.1', false, lines) };
      const verdict = this.#handlers.upgrade(facts);
      if (!(verdict instanceof Promise)) return this.#decide(link, verdict);
      let isGone = false;
      server.onClose = () => {
        isGone = true;
      };
      void verdict.then((decided) => isGone || this.#decide(link, decided));
    };
  }

  #decide(link: FakeLink<Message>, verdict: UpgradeVerdict): void {
    const { server } = link;
    if ('refuse' in verdict) server.close();
    else {
      server.send({ kind: 'accepted' });
      const end = new ServerEnd(server, this.#topics, (topic, frame, binary) =>
        this.#publish(topic, frame, binary, end),
      );
      this.#ends.set(link, end);
      end.onCut = () => this.cutsByServer++;
      const listener = verdict.open(end);
      end.onDrain = (ms) => this.#clock.after(ms, () => end.drained() && listener.onDrain());
      server.onFrame = (message) => {
        if (message.kind === 'frame') {
          const { frame } = message;
          const bytes = typeof frame === 'string' ? new TextEncoder().encode(frame) : frame;
          listener.onMessage(bytes, typeof frame !== 'string');
        } else if (message.kind === 'close') {
          end.gone();
          listener.onClose(message.code, message.reason);
        }
      };
      server.onClose = () => {
        end.gone();
        listener.onClose(1006, '');
      };
    }
  }
}

/** One WebSocket as the server has it. */
class ServerEnd implements HostSocket {
  readonly #link: LinkEnd<Message>;
  readonly #topics: Map<string, Set<ServerEnd>>;
  readonly publish: HostSocket['publish'];
  /** Called when its client stops reading for a time. */
  onDrain: (ms: number) => void = () => {};
  onCut: () => void = () => {};
  #isOpen = true;
  #stalls = 0;
  #waiting = 0;

  constructor(link: LinkEnd<Message>, topics: Map<string, Set<ServerEnd>>, publish: HostSocket['publish']) {
    this.#link = link;
    this.#topics = topics;
    this.publish = publish;
  }

  /** Copies: the memory of a frame may be written again. */
  send(frame: Frame, binary: boolean): void {
    const copy = typeof frame === 'string' ? frame : binary ? Uint8Array.from(frame) : new TextDecoder().decode(frame);
    if (this.#stalls > 0) this.#waiting += frame.length;
    this.#link.send({ kind: 'frame', frame: copy });
  }

  stall(ms: number): void {
    this.#stalls++;
    this.onDrain(ms);
  }

  /** @returns whether its client reads again */
  drained(): boolean {
    this.#stalls--;
    if (this.#stalls === 0) this.#waiting = 0;
    return this.#isOpen && this.#stalls === 0;
  }

  cork(write: () => void): void {
    write();
  }

  getBufferedAmount(): number {
    return this.#waiting;
  }

  subscribe(topic: string): void {
    const ends = this.#topics.get(topic) ?? new Set();
    this.#topics.set(topic, ends.add(this));
  }

  unsubscribe(topic: string): void {
    this.#topics.get(topic)?.delete(this);
  }

  end(code: number, reason: string): void {
    this.#link.send({ kind: 'close', code, reason });
    this.gone();
  }

  close(): void {
    this.onCut();
    this.gone();
  }

  gone(): void {
    this.#isOpen = false;
    for (const ends of this.#topics.values()) ends.delete(this);
    this.#link.close();
  }
}
