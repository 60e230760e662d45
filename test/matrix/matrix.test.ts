// Every host, transport and codec: the same suite, and msgpack across both of its libraries.
import { polling, sse, type Transport, websocket } from '@halyard/client';
import type { Codec } from '@halyard/codec';
import { json } from '@halyard/codec/json';
import { msgpack } from '@halyard/codec-msgpack';
import { msgpack as msgpackBrowser } from '@halyard/codec-msgpack/browser';
import { protobuf } from '@halyard/codec-protobuf';
import { hosts } from '../kit/hosts';
import { isLong } from '../kit/long';
import { sessionSuite } from './session-suite';

const transports: Record<string, () => Transport> = { websocket, sse, polling };
const codecs: Record<string, { serverCodec: () => Codec; clientCodec: () => Codec }> = {
  json: { serverCodec: json, clientCodec: json },
  msgpack: { serverCodec: msgpack, clientCodec: msgpack },
  'msgpack across libraries': { serverCodec: msgpack, clientCodec: msgpackBrowser },
  protobuf: { serverCodec: protobuf, clientCodec: protobuf },
};

for (const [host, makeHost] of hosts) {
  for (const [transport, makeTransport] of Object.entries(transports)) {
    for (const [codec, pair] of Object.entries(codecs)) {
      const hasLargest = isLong || codec === 'json';
      sessionSuite(`${host}, ${transport}, ${codec}`, {
        host: makeHost,
        transport: makeTransport,
        hasLargest,
        ...pair,
      });
    }
  }
}
