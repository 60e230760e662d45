// What both ends share of an app's events: one file of the app imports it, and weighs as much in a page as the app's schemas do.
export { type Contract, contract, type ServerContract } from './contract';
export type { AnyContract, ContractPart, EventDefinition, EventDefinitions, ProtobufType } from './definition';
export type { Emit, Incoming, Listen, Outgoing, Received, Sent, Unchecked } from './events';
export type { Input, Issue, Output, Schema, Validated } from './schema';
