// The client with nothing chosen: the codec and the transport are named by who calls `connect`, and nothing else is bundled.

export {
  type AnyEvents,
  type Clock,
  type Close,
  CloseCode,
  type EventArgs,
  type EventHandler,
  type EventName,
  type EventReply,
  HalyardError,
  LocalUsageError,
  PublicError,
  RemoteProtocolError,
  type Value,
} from '@halyard/protocol';
export { connect } from './api/connect';
export type { Listener, ReservedEvent } from './api/events';
export type { CoreOptions, ReconnectOptions, SocketOptions } from './api/options';
export type { AnyListener, EmitVolatile, EmitWithAck, Socket } from './api/socket';
export type { Connection, ConnectionState, StateChange } from './link/connector';
export { type Fetch, type FetchInit, type PollingOptions, polling, sse } from './link/http';
export { race } from './link/race';
export type { Address, BetterTransport, Link, LinkEvents, Transport } from './link/transport';
export { type WebSocketOptions, websocket } from './link/websocket';
export type { ConnectInfo, DisconnectInfo, LifecycleEvents } from './session/lifecycle';
export type { Auth, AuthData, AuthInput } from './session/presence';
export type { Reload } from './session/reload';
