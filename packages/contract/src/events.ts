// The events of a contract as the two ends have them in their types: maps as `Server` and `connect` take them. Types only.
import type { AnyContract, EventDefinition, EventDefinitions } from './definition';
import type { Input, Output } from './schema';

/** Events as who sends them has them: what the schemas take, and the reply as it comes out of its own. */
export type Sent<Events> = { [Name in keyof Events]: (...args: Inputs<Events[Name]>) => ReplyOutput<Events[Name]> };

/** Events as handlers have them behind the checks: what the schemas give, and the reply as its schema takes it. */
export type Received<Events> = { [Name in keyof Events]: (...args: Outputs<Events[Name]>) => ReplyInput<Events[Name]> };

/** Events as handlers have them where nothing is checked: as they were sent. */
export type Unchecked<Events> = { [Name in keyof Events]: (...args: Inputs<Events[Name]>) => ReplyInput<Events[Name]> };

/** For `Server<Incoming, Outgoing>`, where types are to be named: those of `new Server({ contract })` are these. */
export type Incoming<Contract extends AnyContract> = Received<Contract['clientToServer']>;
export type Outgoing<Contract extends AnyContract> = Sent<Contract['serverToClient']>;

/** For `connect<Listen, Emit>` of a client that checks nothing. */
export type Listen<Contract extends AnyContract> = Unchecked<Contract['serverToClient']>;
export type Emit<Contract extends AnyContract> = Sent<Contract['clientToServer']>;

type Inputs<Event> = Event extends { readonly args: infer Schemas extends readonly unknown[] }
  ? Trailing<{ -readonly [I in keyof Schemas]: Input<Schemas[I]> }>
  : [];

type Outputs<Event> = Event extends { readonly args: infer Schemas extends readonly unknown[] }
  ? Trailing<{ -readonly [I in keyof Schemas]: Output<Schemas[I]> }>
  : [];

// biome-ignore lint/suspicious/noConfusingVoidType: without `reply` there is none, and a handler may return anything.
type ReplyInput<Event> = Event extends { readonly reply: infer Schema extends object } ? Input<Schema> : void;
// biome-ignore lint/suspicious/noConfusingVoidType: as above.
type ReplyOutput<Event> = Event extends { readonly reply: infer Schema extends object } ? Output<Schema> : void;

/** What may be undefined may be left out, at the end. */
type Trailing<Args extends readonly unknown[]> = Args extends readonly [...infer Rest, infer Last]
  ? undefined extends Last
    ? [...Trailing<Rest>, Last?]
    : Args
  : Args;

/** The events of several parts of a contract, those of one direction. */
export type Merged<Parts, Direction extends 'clientToServer' | 'serverToClient'> = Parts extends readonly [
  infer First,
  ...infer Rest,
]
  ? EventsOf<First, Direction> & Merged<Rest, Direction>
  : unknown;

type EventsOf<Part, Direction extends string> = Part extends {
  readonly [Key in Direction]: infer Events extends object;
}
  ? Events
  : unknown;

/** As one object, which is what an editor shows. */
export type Flat<Events> = { readonly [Name in keyof Events]: Events[Name] } extends infer Own extends EventDefinitions
  ? Own
  : Readonly<Record<string, EventDefinition>>;
