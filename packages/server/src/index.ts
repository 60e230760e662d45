export type { Codec } from '@halyard/codec';
export type { AnyContract, ServerContract } from '@halyard/contract';
export {
  type AnyEvents,
  type Close,
  CloseCode,
  type EventArgs,
  type EventHandler,
  type EventName,
  type EventReply,
  HalyardError,
  LocalUsageError,
  PublicError,
  type Value,
} from '@halyard/protocol';
export type { CloseOptions } from './api/close-options';
export { type Health, type HealthHandler, healthHandler } from './api/health';
export type { InspectedNamespace, InspectedSession, Inspection } from './api/inspection';
export type { ListenOptions } from './api/listen-options';
export type { HistogramSample, Labels, Metric, MetricFacts, MetricSample } from './api/metrics';
export type { Guard, Namespace, NamespaceRules } from './api/namespace';
export type { NamespaceOptions } from './api/namespace-options';
export type { ServerOptions } from './api/options';
export type { OverloadOptions } from './api/overload-options';
export type { RemoteSocket } from './api/remote-socket';
export type { ErrorContext } from './api/reports';
export { Server } from './api/server';
export type { ServerHandler, ServerLifecycle } from './api/server-lifecycle';
export { handleSignals, type SignalOptions } from './api/signals';
export type { AnyHandler, Socket, SocketHandler } from './api/socket';
export type { Counted, FetchedSockets, Latest, Target } from './api/target';
export type { Facts, Happening, Hear, Told } from './base/happenings';
export type { Entering, HandledEvent, Instruments, Resuming } from './base/instruments';
export type { Logger, LogLevel } from './base/logger';
export type { OverloadChange, OverloadReason, OverloadState } from './base/overload';
export type { LoopTimes, Platform } from './base/platform';
export type { Warning } from './base/warnings';
export { networkOf } from './host/address';
export type { AppServer } from './host/attached';
export type { Compression, PerMessageDeflateOptions } from './host/compression';
export type { FetchHandler } from './host/fetch-bridge';
export {
  type Headers,
  type Host,
  type HostFactory,
  type HostHandlers,
  type HostLimits,
  type HostSocket,
  type HostSocketListener,
  type HttpAnswer,
  type HttpReply,
  type HttpStream,
  Peer,
  type RequestFacts,
  type StreamableReply,
  type UpgradeVerdict,
} from './host/host';
export { node } from './host/node';
export type { TlsOptions } from './host/tls';
export { uws } from './host/uws';
export type { Frames } from './log/frames';
export type { RetentionLimits } from './log/retention';
export type { Replies } from './namespace/audience';
export type { Reached } from './namespace/cluster-requests';
export type { NamespacePattern } from './namespace/dynamic-namespaces';
export type { SocketMiddleware } from './namespace/event-middleware';
export type { SocketLifecycle } from './namespace/event-socket';
export type { Middleware, ResumeCheck } from './namespace/middleware';
export type { RoomEvents } from './namespace/room-events';
export type { Names } from './namespace/target-spec';
export type { SlowReaders } from './room/rooms';
export type { SlowReaderCounts } from './session/context';
export type { ExpiredHandler, ExpiredSession, ExpiredSocket } from './session/expiry';
export type { AnyData, Auth, Handshake } from './session/handshake';
export type { OverSessionsPerKey, SessionKey } from './session/session-keys';
export { type MemoryOptions, memory } from './store/memory';
export type {
  Adapter,
  Awaitable,
  Bodies,
  Claim,
  Commit,
  CommitResult,
  Expired,
  Letter,
  LogPage,
  LogState,
  LogTop,
  NewEntry,
  OwnStore,
  RecordParts,
  RecordWrite,
  RolledBack,
  Step,
  Store,
  StoreContext,
  StoredEntry,
  StoredLetter,
  StoredSession,
  StoreEvents,
  StoreState,
  StoreTrouble,
  TakenMail,
} from './store/store';
export { positionPart, storeVersion } from './store/store';
export type { Origins } from './wire/admission';
export type { TransportName } from './wire/connection';
export type { Allowed, AllowRequest, OpeningRequest, Refusal } from './wire/gate';
