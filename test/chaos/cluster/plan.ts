// Who is in the run, and what is said: what the processes of a run have to know of each other.
import { polling, sse, type Transport, websocket } from '@halyard/client';
import type { Codec } from '@halyard/codec';
import { json } from '@halyard/codec/json';
import { msgpack } from '@halyard/codec-msgpack';
import { protobuf } from '@halyard/codec-protobuf';

export const roomCount = 40;
export const rooms: readonly string[] = Array.from({ length: roomCount }, (_, i) => `room ${i}`);

/** How long a session is kept for a client that is away, in milliseconds. */
export const recoveryWindowMs = 60_000;

/** What a handler that takes its time waits, in milliseconds: long enough for its server to be killed meanwhile. */
export const slowMs = 200;

export const codecs: readonly (() => Codec)[] = [json, msgpack, protobuf];
/** The last: a client that begins with one and may go on with another. */
const transports: readonly (() => Transport[])[] = [
  () => [websocket()],
  () => [polling()],
  () => [sse()],
  () => [websocket(), sse(), polling()],
];

export interface Setup {
  readonly name: string;
  readonly codec: () => Codec;
  readonly transports: () => Transport[];
  /** Rooms that it is in for the whole run. */
  readonly rooms: readonly string[];
}

/** @returns how a client is set up. All mixes come up as often as each other */
export function setupOf(number: number): Setup {
  const [first, second] = [number % roomCount, (number * 7 + 3) % roomCount];
  return {
    name: `c${number}`,
    codec: codecs[number % codecs.length] as () => Codec,
    transports: transports[Math.floor(number / codecs.length) % transports.length] as () => Transport[],
    rooms: [...new Set([first, second])].map((room) => rooms[room] as string),
  };
}

/** What a server process is started with, as JSON. */
export interface NodeData {
  readonly redis: string;
  /** Where it writes its records to. */
  readonly file: string;
  readonly seed: number;
  readonly heartbeatMs: number;
  /** How often it says something to a room by itself, in milliseconds. */
  readonly sayMs: number;
  /** How long it may take to go once it is told to stop. */
  readonly drainMs: number;
}

/** What is asked of a server; each is answered. */
export type NodeOrder = 'begin' | 'stop' | 'last' | 'look' | 'end';

/** What a server knows of who is there. */
export interface Look {
  /** By id, of all servers. */
  readonly sockets: Readonly<Record<string, readonly string[]>>;
  readonly missing: readonly string[];
  /** Members of each room, of all servers. */
  readonly counts: Readonly<Record<string, number>>;
  /** Ids of the sockets whose `connection` this server was told, and not yet that they are somewhere else or over. */
  readonly present: readonly string[];
}

export type NodeAnswer = { readonly up: number; readonly node: string } | { readonly answer: Look | null };

/** What a process of clients is started with, as JSON. */
export interface ClientsData {
  readonly port: number;
  readonly file: string;
  readonly seed: number;
  /** Numbers of its clients. */
  readonly from: number;
  readonly to: number;
  /** How often each says something, on average. */
  readonly sayMs: number;
}

/** `probe`: a server was killed at that time: all show that they are back. */
export type ClientsOrder = 'begin' | 'stop' | 'close' | 'exit' | { readonly probe: number; readonly at: number };

/** `ready`: all are connected. `settled`: nothing waits for an answer. `rested`: all have had the last word. */
export interface ClientsReport {
  readonly state: 'opening' | 'ready' | 'talking' | 'settled' | 'rested';
  /** Grows with everything that happens. */
  readonly progress: number;
  readonly unsettled: number;
}

/** The last word in each room, and to each client. */
export const last = 'last';
