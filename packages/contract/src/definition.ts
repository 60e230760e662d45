// What a contract is said to be: its events in both directions, and what each carries. Types only.
import type { Schema } from './schema';

/** A message type of Protobuf, as `@halyard/codec-protobuf` takes it. */
export interface ProtobufType {
  encode(value: object): { finish(): Uint8Array };
  decode(bytes: Uint8Array): object;
}

export interface EventDefinition {
  /** A schema for each argument, in their order. Default: none, and the event takes no arguments. */
  readonly args?: readonly Schema<unknown, unknown>[] | undefined;
  /** Of what the handler's result is. Default: none, and whoever waits for a reply gets one without a value. */
  readonly reply?: Schema<unknown, unknown> | undefined;
  /** What it is for, in the document of `halyard docs`. */
  readonly description?: string | undefined;
  /** How the codec `protobuf` carries its one argument, an object: `protobuf(contract)` has those of all events. */
  readonly protobuf?: ProtobufType | undefined;
}

/** By their names. */
export type EventDefinitions = Readonly<Record<string, EventDefinition>>;

export interface ContractPart {
  /** What clients say. */
  readonly clientToServer?: EventDefinitions | undefined;
  /** What the server says. */
  readonly serverToClient?: EventDefinitions | undefined;
}

/** A contract, whatever is in it. */
export interface AnyContract {
  readonly clientToServer: EventDefinitions;
  readonly serverToClient: EventDefinitions;
  /** Message types of Protobuf by the names of events. */
  readonly types: Readonly<Record<string, ProtobufType>>;
}
