export type { Settle } from './acks';
export { FrameSplitter, joinFrames, splitFrames } from './batch';
export type { Clock } from './clock';
export { afterClose, type Close, CloseCode } from './close';
export { assertNever, HalyardError, LocalUsageError, PublicError, RemoteProtocolError } from './errors';
export type { AnyEvents, EventArgs, EventHandler, EventName, EventReply } from './events';
export { fromTupleFast, toTupleFast } from './frequent';
export {
  defaultOutboxLimits,
  defaultSettings,
  type OutboxLimits,
  packetLimits,
  type SessionSettings,
} from './limits';
export { FrameTag } from './outbox';
export * from './packet';
export { type DeliveredPacket, SessionMachine, type SessionSink, type SessionState } from './session';
export { fromTuple, namespaceName, type Tuple, toTuple } from './tuple';
export type { Value } from './value';
export { negotiate, pollingHeaders, protocolHeader, subprotocol } from './version';
