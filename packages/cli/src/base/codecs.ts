// The codecs by their names. Only what is asked for is loaded.
import type { Codec } from '@halyard/codec';
import { optionError } from './option';

const codecs = {
  json: async () => (await import('@halyard/codec/json')).json(),
  msgpack: async () => (await import('@halyard/codec-msgpack')).msgpack(),
  protobuf: async () => (await import('@halyard/codec-protobuf')).protobuf(),
} as const;

export type CodecName = keyof typeof codecs;

export const codecNames = Object.keys(codecs) as CodecName[];

export function isCodecName(name: string): name is CodecName {
  return Object.hasOwn(codecs, name);
}

/** Rejects with LocalUsageError `ERR_OPTION`. */
export async function codecOf(name: string): Promise<Codec> {
  if (!isCodecName(name)) throw optionError('codec', codecNames.join(', '), name);
  return codecs[name]();
}
