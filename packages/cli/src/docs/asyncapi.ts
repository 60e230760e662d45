// A contract as a document of AsyncAPI 3.0: a namespace is a channel, an event a message whose payload is the list of its arguments.
// Standard Schema does not say what is in a schema: the app gives what makes JSON Schema of one.
import type { AnyContract, EventDefinition, Schema } from '@halyard/contract';
import { LocalUsageError } from '@halyard/protocol';

export type JsonSchema = Readonly<Record<string, unknown>>;

/**
 * Makes JSON Schema of a schema, such as `z.toJSONSchema`.
 * @param options as zod takes them: of what it takes, or of what it makes of that; and what JSON has no word for, such as a date, is anything
 */
export type ToJSONSchema = (
  schema: never,
  options: { readonly target: 'draft-7'; readonly io: 'input' | 'output'; readonly unrepresentable: 'any' },
) => object | boolean;

/** Of the document. */
export interface Info {
  readonly title?: string | undefined;
  readonly version?: string | undefined;
  readonly description?: string | undefined;
}

export interface AsyncApiOptions {
  /** What is made of the schemas. Default: only how many arguments an event takes is told. */
  readonly toJSONSchema?: ToJSONSchema | undefined;
  readonly info?: Info | undefined;
  /** Default: `/`. */
  readonly namespace?: string | undefined;
}

interface Message {
  readonly key: string;
  readonly message: object;
}

/**
 * @returns the document, as plain data
 * @throws LocalUsageError `ERR_SCHEMA` that names the event whose schema cannot be told in JSON Schema
 */
export function asyncApi(
  contract: AnyContract,
  { toJSONSchema, info = {}, namespace = '/' }: AsyncApiOptions = {},
): object {
  const channel = namespace === '/' ? 'main' : namespace.slice(1).replace(/[^\w.-]+/g, '-');
  const to = `/channels/${channel}`;
  const messages = new Map<string, object>();
  const operations = new Map<string, object>();
  const add = ({ key, message }: Message): object => {
    messages.set(key, message);
    return { $ref: `#${to}/messages/${pointerPart(key)}` };
  };
  for (const [direction, action] of [
    ['clientToServer', 'receive'],
    ['serverToClient', 'send'],
  ] as const) {
    for (const [name, event] of Object.entries(contract[direction])) {
      const key = `${action}.${name}`;
      const at = (kind: string): string => `${to}/messages/${pointerPart(kind)}/payload`;
      const converted = (place: string, schema: Schema, io: 'input' | 'output', pointer: string): JsonSchema =>
        schemaOf({ toJSONSchema, schema, io, pointer, what: `${name} (${direction}): ${place}` });
      const payload = payloadOf(event, (schema, i) =>
        converted(`argument ${i + 1}`, schema, 'input', `${at(key)}/items/${i}`),
      );
      const { reply, description } = event;
      const about = description === undefined ? {} : { description };
      operations.set(key, {
        action,
        channel: { $ref: `#${to}` },
        ...about,
        messages: [add({ key, message: { name, ...about, payload } })],
        ...(reply && {
          reply: {
            channel: { $ref: `#${to}` },
            messages: [
              add({
                key: `reply.${key}`,
                message: {
                  ...{ name: `reply to ${name}`, description: `What ${name} is answered with, unless by an error.` },
                  payload: converted('reply', reply, 'output', at(`reply.${key}`)),
                },
              }),
            ],
          },
        }),
      });
    }
  }
  return {
    asyncapi: '3.0.0',
    info: { ...info, title: info.title ?? 'Halyard', version: info.version ?? '1.0.0' },
    defaultContentType: 'application/json',
    channels: {
      [channel]: {
        address: namespace,
        description: `The events of the namespace ${namespace}. A payload is the list of an event's arguments; how it goes over the wire, the protocol of Halyard says.`,
        messages: Object.fromEntries(messages),
      },
    },
    operations: Object.fromEntries(operations),
  };
}

function payloadOf({ args = [] }: EventDefinition, schemaAt: (schema: Schema, i: number) => JsonSchema): JsonSchema {
  // A list of no schemas is none in JSON Schema.
  if (args.length === 0) return { type: 'array', maxItems: 0 };
  const least = args.findLastIndex((schema) => !takesNothing(schema)) + 1;
  const items = args.map((schema, i) => schemaAt(schema, i));
  return { type: 'array', items, minItems: least, maxItems: args.length };
}

/** Whether it may be left out. */
function takesNothing(schema: Schema): boolean {
  try {
    const validated = schema['~standard'].validate(undefined);
    if (!(validated instanceof Promise)) return validated.issues === undefined;
    validated.catch(() => {});
  } catch {}
  return false;
}

interface Conversion {
  readonly toJSONSchema: ToJSONSchema | undefined;
  readonly schema: Schema;
  readonly io: 'input' | 'output';
  /** Where in the document it stands. */
  readonly pointer: string;
  readonly what: string;
}

function schemaOf({ toJSONSchema, schema, io, pointer, what }: Conversion): JsonSchema {
  if (toJSONSchema === undefined) return {};
  let made: unknown;
  try {
    made = toJSONSchema(schema as never, { target: 'draft-7', io, unrepresentable: 'any' });
  } catch (error) {
    throw new LocalUsageError('ERR_SCHEMA', `${what} cannot be told in JSON Schema: ${(error as Error).message}`);
  }
  if (typeof made !== 'object' || made === null) {
    const given = made === undefined ? 'nothing' : JSON.stringify(made);
    throw new LocalUsageError('ERR_SCHEMA', `${what}: toJSONSchema has given ${given}, and no JSON Schema.`);
  }
  // Which version it is of, the document says.
  const { $schema: _version, ...rest } = made as Record<string, unknown>;
  return placed(rest, pointer) as JsonSchema;
}

/** @returns a schema whose references to its own parts lead there in the document too */
function placed(value: unknown, pointer: string): unknown {
  if (Array.isArray(value)) return value.map((item) => placed(item, pointer));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, item]) => [
      key,
      key === '$ref' && typeof item === 'string' && /^#(\/|$)/.test(item)
        ? `#${pointer}${item.slice(1)}`
        : placed(item, pointer),
    ]),
  );
}

/** A key, in a reference. */
function pointerPart(key: string): string {
  return encodeURIComponent(key.replaceAll('~', '~0').replaceAll('/', '~1')).replaceAll('%3A', ':');
}
