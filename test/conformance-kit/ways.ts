// The ways to play a case: over which transport, and in which codec.
import type { Case } from './case';
import { type CodecName, codecNames, type Transport } from './line';

export interface Ways {
  readonly transports: readonly Transport[];
  readonly codecs: readonly CodecName[];
}

export interface Way {
  readonly transport: Transport;
  readonly codec: CodecName;
}

export const transportNames: readonly Transport[] = ['websocket', 'sse', 'polling'];

/** @param having what the end under test has @param wanted what is to be played of it: all, where it says nothing */
export function waysOf(having: Ways, { transports = transportNames, codecs = codecNames }: Partial<Ways>): Way[] {
  return having.transports
    .filter((transport) => transports.includes(transport))
    .flatMap((transport) =>
      having.codecs.filter((codec) => codecs.includes(codec)).map((codec) => ({ transport, codec })),
    );
}

/** Whether a case says something this way that it does not say in others. */
export function isFor({ needs }: Case, { transport, codec }: Way): boolean {
  const ofTransport = needs.filter((need) => (transportNames as readonly string[]).includes(need));
  const ofCodec = needs.filter((need) => (codecNames as readonly string[]).includes(need));
  return (
    (ofTransport.length === 0 || ofTransport.includes(transport)) && (ofCodec.length === 0 || ofCodec.includes(codec))
  );
}
