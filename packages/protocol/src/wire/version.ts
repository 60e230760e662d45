// Protocol versions and their names on the wire (docs/PROTOCOL.md §2).

const protocolVersion = 1;

/** The header in which HTTP transports offer and choose what a WebSocket does in `Sec-WebSocket-Protocol`. */
export const protocolHeader = 'halyard-protocol';

/** Headers of the polling transport (docs/PROTOCOL.md §7). */
export const pollingHeaders = {
  connection: 'halyard-connection',
  sequence: 'halyard-seq',
  received: 'halyard-ack',
  close: 'halyard-close',
} as const;

/** The header of an answer that says how many frames it has: without its end it may still look like a whole one. */
export const framesHeader = 'halyard-frames';

/** Headers of the answer that opens a connection of polling, in which the server tells its limits. */
export const pollingLimitHeaders = {
  /** How long a poll is held when there is nothing to say, in milliseconds. */
  pollHoldMs: 'halyard-poll-hold-ms',
  /** Largest body of a request, in bytes. */
  httpBodyBytesMax: 'halyard-body-bytes-max',
} as const;

/** @returns the subprotocol that names version 1 with this codec, such as `halyard.v1+json` */
export function subprotocol(codecName: string): string {
  return `halyard.v${protocolVersion}+${codecName}`;
}

/**
 * Picks the first offered subprotocol the server has.
 * @param offered value of `Sec-WebSocket-Protocol` or `halyard-protocol`; empty or undefined means v1 JSON, unnamed
 * @param codecNames the server's codecs
 * @returns the codec's name and the subprotocol to echo (empty if none was offered), or undefined if there is none in common
 */
export function negotiate(
  offered: string | undefined,
  codecNames: readonly string[],
): { codec: string; subprotocol: string } | undefined {
  if (!offered?.trim()) return codecNames.includes('json') ? { codec: 'json', subprotocol: '' } : undefined;
  for (const entry of offered.split(',')) {
    const name = entry.trim();
    const codec = codecNames.find((candidate) => subprotocol(candidate) === name);
    if (codec !== undefined) return { codec, subprotocol: name };
  }
  return undefined;
}
