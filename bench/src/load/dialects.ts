// The dialects there are, by name.
import type { DialectName } from '../contract/operations';
import type { Dialect } from './dialect';

/** Loads the dialect, and only what it needs. */
export async function loadDialect(name: DialectName): Promise<Dialect> {
  switch (name) {
    case 'raw':
      return (await import('./raw')).raw;
    case 'socketio':
      return (await import('./socketio')).socketio;
    case 'halyard-json':
      return (await import('./halyard')).halyard((await import('@halyard/codec/json')).json());
    case 'halyard-msgpack':
      return (await import('./halyard')).halyard((await import('@halyard/codec-msgpack')).msgpack());
    case 'halyard-protobuf':
      return (await import('./halyard')).halyard((await import('@halyard/codec-protobuf')).protobuf());
    default:
      throw new Error(`${name} is no WebSocket dialect`);
  }
}
