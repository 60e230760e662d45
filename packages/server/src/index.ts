export type { Codec } from '@halyard/codec';
export {
  type AnyEvents,
  type Close,
  CloseCode,
  HalyardError,
  LocalUsageError,
  PublicError,
  type Value,
} from '@halyard/protocol';
export type { AppServer } from './host/attached';
export { type Headers, type HostFactory, Peer } from './host/host';
export { node } from './host/node';
export { type UwsOptions, type UwsTlsOptions, uws } from './host/uws';
export type { NamespacePattern } from './namespace/dynamic-namespaces';
export type { Auth, Handshake } from './namespace/handshake';
export type { Middleware, Namespace, NamespaceRules } from './namespace/namespace';
export type { SocketMiddleware } from './namespace/passage';
export type { Socket, SocketLifecycle } from './namespace/socket';
export type { Replies, Target } from './namespace/target';
export type { FetchHandler, ServerOptions } from './options';
export { type ErrorContext, Server } from './server';
export type { Origins } from './transport/admission';
export type { Warning } from './warnings';
