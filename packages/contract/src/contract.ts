// A contract: which events there are between clients and server, and what each carries. What cannot be is said when it is made.
import { checkEventName, LocalUsageError, packetLimits, quoted } from '@halyard/protocol';
import type { AnyContract, ContractPart, EventDefinition, EventDefinitions, ProtobufType } from './definition';
import type { Flat, Merged, Received, Sent, Unchecked } from './events';
import { faultOfSchema, kindOf } from './schema';

/** A contract by the events that a server has of it. */
export interface ServerContract<Incoming, Outgoing> extends AnyContract {
  /** For the compiler alone: it is not there. */
  readonly '~events'?: { readonly incoming: Incoming; readonly outgoing: Outgoing } | undefined;
}

export interface Contract<ClientToServer extends EventDefinitions, ServerToClient extends EventDefinitions>
  extends AnyContract {
  readonly clientToServer: ClientToServer;
  readonly serverToClient: ServerToClient;
  /** For the compiler alone: it is not there. */
  readonly '~events'?:
    | {
        readonly incoming: Received<ClientToServer>;
        readonly outgoing: Sent<ServerToClient>;
        readonly listen: Unchecked<ServerToClient>;
        readonly emit: Sent<ClientToServer>;
      }
    | undefined;
}

const directions = ['clientToServer', 'serverToClient'] as const;
const eventKeys: readonly string[] = ['args', 'reply', 'description', 'protobuf'] satisfies (keyof EventDefinition)[];

/** Contracts are known by being made here, also by another copy of this module. */
const made = Symbol.for('halyard.contract');

/**
 * Says which events there are, for both ends: `new Server({ contract })`, and `connect` of `@halyard/client/contract`, or its types alone
 * for any other.
 * @param parts of which it is put together; a contract may be one of them
 * @throws LocalUsageError `ERR_CONTRACT` that names the event: two of one name, a schema that is none, a name that no event may have,
 *   what no contract has
 */
export function contract<const Parts extends readonly ContractPart[]>(
  ...parts: Parts
): Contract<Flat<Merged<Parts, 'clientToServer'>>, Flat<Merged<Parts, 'serverToClient'>>> {
  const merged = { clientToServer: new Map<string, EventDefinition>(), serverToClient: new Map() };
  for (const part of parts) {
    checkKeys(part, isContract(part) ? [...directions, 'types'] : directions, 'A contract');
    for (const direction of directions) {
      const events = part[direction] ?? {};
      checkKeys(events, undefined, `A contract's ${direction}`);
      for (const [name, event] of Object.entries(events)) {
        checkEvent(direction, name, event);
        if (merged[direction].has(name)) throw bad(direction, name, 'is there twice: two events have one name');
        merged[direction].set(name, event);
      }
    }
  }
  const { clientToServer, serverToClient } = merged;
  const types = typesOf(clientToServer, serverToClient);
  const whole = {
    clientToServer: Object.freeze(Object.fromEntries(clientToServer)),
    serverToClient: Object.freeze(Object.fromEntries(serverToClient)),
    types: Object.freeze(types),
  };
  return Object.freeze(Object.defineProperty(whole, made, { value: true })) as never;
}

/** Whether `contract` has made it. */
export function isContract(value: unknown): value is AnyContract {
  return typeof value === 'object' && value !== null && made in value;
}

function checkKeys(value: unknown, known: readonly string[] | undefined, what: string): void {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw fault(`${what} is an object, and not ${kindOf(value)}.`, {});
  }
  const unknown = known && Object.keys(value).find((key) => !known.includes(key));
  if (unknown !== undefined) {
    throw fault(`${what} has no ${quoted(unknown)}: it has ${known?.join(', ')}.`, { key: unknown });
  }
}

function checkEvent(direction: string, name: string, event: unknown): void {
  try {
    checkEventName(name);
  } catch (error) {
    const rule =
      (error as LocalUsageError).code === 'ERR_RESERVED_EVENT'
        ? 'has the name of a lifecycle event, which no other event may have'
        : `has a name that no event may have: it is text of 1 to ${packetLimits.nameCharsMax} characters`;
    throw bad(direction, name, rule);
  }
  if (typeof event !== 'object' || event === null || Array.isArray(event)) {
    throw bad(direction, name, `is an object such as { args: [schema], reply: schema }, and not ${kindOf(event)}`);
  }
  const unknown = Object.keys(event).find((key) => !eventKeys.includes(key));
  if (unknown !== undefined)
    throw bad(direction, name, `has no ${quoted(unknown)}: it may have ${eventKeys.join(', ')}`);
  const { args = [], reply, description, protobuf } = event as EventDefinition;
  if (!Array.isArray(args)) throw bad(direction, name, `has in args a list of schemas, and not ${kindOf(args)}`);
  for (const [i, schema] of args.entries()) checkSchema(direction, name, `args[${i}]`, schema);
  if (reply !== undefined) checkSchema(direction, name, 'reply', reply);
  if (description !== undefined && typeof description !== 'string') {
    throw bad(direction, name, `has in description a text, and not ${kindOf(description)}`);
  }
  if (protobuf === undefined) return;
  if (typeof protobuf?.encode !== 'function' || typeof protobuf.decode !== 'function') {
    throw bad(direction, name, `has in protobuf a message type, with encode and decode, and not ${kindOf(protobuf)}`);
  }
  if (args.length !== 1) {
    throw bad(
      direction,
      name,
      `has a message type in protobuf, which is for one argument, and it takes ${args.length}`,
    );
  }
}

function checkSchema(direction: string, name: string, place: string, schema: unknown): void {
  const wrong = faultOfSchema(schema);
  if (wrong !== undefined) throw bad(direction, name, `has in ${place} what ${wrong}`, { path: place });
}

/** The codec knows one type for each name, whichever end says it. */
function typesOf(
  clientToServer: ReadonlyMap<string, EventDefinition>,
  serverToClient: ReadonlyMap<string, EventDefinition>,
): Record<string, ProtobufType> {
  const types = new Map<string, ProtobufType>();
  for (const [name, { protobuf }] of clientToServer) if (protobuf !== undefined) types.set(name, protobuf);
  for (const [name, { protobuf }] of serverToClient) {
    if (clientToServer.has(name) && protobuf !== types.get(name)) {
      const rule = 'is there in both directions, and has to have the same message type in protobuf in both';
      throw bad('serverToClient', name, rule);
    }
    if (protobuf !== undefined) types.set(name, protobuf);
  }
  return Object.fromEntries(types);
}

function bad(direction: string, event: string, rule: string, details: Record<string, unknown> = {}): LocalUsageError {
  return fault(`The contract's event ${quoted(event)} (${direction}) ${rule}.`, { event, direction, ...details });
}

function fault(message: string, details: Record<string, unknown>): LocalUsageError {
  return new LocalUsageError('ERR_CONTRACT', message, details);
}
