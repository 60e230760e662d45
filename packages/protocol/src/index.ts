export type { Clock } from './clock';
export { brief, closeWords, isDebugged, quoted } from './debug';
export {
  callHandlers,
  checkEventName,
  type Failure,
  failureOf,
  firstSettled,
  isReservedEvent,
  isThenable,
  type ReservedEventName,
  reservedEvents,
  timeoutMsMin,
  trimmedArgs,
} from './event-rules';
export type { AnyEvents, EventArgs, EventHandler, EventName, EventReply, OfEvents } from './events';
export { isMissedCallback, missedCallbackOf } from './missed-callback';
export { answerMissing, type MissingMembers } from './missing-members';
export { ackTimeout, PendingAcks, type Settle } from './stream/acks';
export {
  type ClientLimits,
  type ClientOutbox,
  createClientOutbox,
  type OutboxEntry,
  type OutboxState,
  outboxFull,
} from './stream/client-outbox';
export {
  type DeliveredPacket,
  SessionMachine,
  type SessionSink,
  type SessionState,
} from './stream/machine';
export {
  largestWindow,
  MovableMachine,
  type Owed,
  openMsMax,
  type Snapshot,
  type StreamCounts,
  type StreamState,
} from './stream/movable-machine';
export { FrameTag } from './stream/outbox';
export { OutboxBudget } from './stream/outbox-budget';
export type { ServerLimits } from './stream/paced-machine';
export { type ResumeCounts, ServerMachine, type ServerSink } from './stream/server-machine';
export { Settled } from './stream/settled';
export { bytesOfBase64 } from './wire/base64';
export { FrameSplitter, joinFrames, type OwnBytes, splitFrames } from './wire/batch';
export { afterClose, type Close, CloseCode } from './wire/close';
export { assertNever, HalyardError, LocalUsageError, PublicError, RemoteProtocolError } from './wire/errors';
export { fromTupleFast, toTupleFast } from './wire/fast-tuple';
export {
  defaultOutboxLimits,
  defaultPendingAcksMax,
  defaultRateLimits,
  defaultSettings,
  type OutboxLimits,
  packetLimits,
  type RateLimits,
  type SessionSettings,
} from './wire/limits';
export * from './wire/packet';
export { fromTuple, namespaceName, type Tuple, toTuple } from './wire/tuple';
export type { InterfaceInput, Value } from './wire/value';
export {
  framesHeader,
  negotiate,
  pollingHeaders,
  pollingLimitHeaders,
  protocolHeader,
  subprotocol,
} from './wire/version';
