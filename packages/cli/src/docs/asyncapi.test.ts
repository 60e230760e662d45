import { createRequire } from 'node:module';
import { contract } from '@halyard/contract';
import { Ajv } from 'ajv';
import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { asyncApi, type ToJSONSchema } from './asyncapi';

const schema = createRequire(import.meta.url)('@asyncapi/specs/schemas/3.0.0-without-$id.json');
const validate = new Ajv({ strict: false, validateFormats: false, logger: false }).compile(schema);

interface Node {
  readonly name?: string;
  readonly category: string;
  readonly children?: readonly Node[];
}

const Category: z.ZodType<Node> = z.object({
  category: z.string(),
  get children() {
    return z.array(Category).optional();
  },
});

const shop = contract({
  clientToServer: {
    'item/add~now': {
      args: [Category, z.int().default(1), z.string().optional()],
      reply: z.object({ id: z.string() }),
    },
    leave: { description: 'Leaves the shop.' },
    at: { args: [z.string().transform((text) => new Date(text))] },
  },
  serverToClient: {
    added: { args: [z.object({ id: z.string().max(12) })], description: 'Something was added.' },
    leave: {},
  },
});

/** @returns what a reference leads to */
function found(document: unknown, ref: string): unknown {
  const parts = decodeURIComponent(ref).slice(2).split('/');
  return parts.reduce(
    (value, part) => (value as Record<string, unknown>)[part.replaceAll('~1', '/').replaceAll('~0', '~')],
    document,
  );
}

/** @returns every reference in a document */
function refsIn(value: unknown): string[] {
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([key, item]) => (key === '$ref' ? [item as string] : refsIn(item)));
}

describe('a contract as AsyncAPI', () => {
  test('is what the schema of AsyncAPI 3.0 says, with and without what makes JSON Schema', () => {
    const documents = [
      asyncApi(shop, { toJSONSchema: z.toJSONSchema as ToJSONSchema }),
      asyncApi(shop, { namespace: '/shop/old', info: { title: 'A shop', version: '2.1.0' } }),
      asyncApi(shop, { namespace: undefined, info: { title: undefined, version: undefined } }),
      asyncApi(contract()),
    ];
    for (const document of documents) {
      expect(validate(document), JSON.stringify(validate.errors?.slice(0, 5))).toBe(true);
      for (const ref of refsIn(document)) expect([ref, found(document, ref)]).toEqual([ref, expect.any(Object)]);
    }
    expect(validate({ ...documents[0], channels: [] })).toBe(false);
    expect(validate({ ...documents[0], operations: { say: { action: 'shout' } } })).toBe(false);
  });

  test('has each event in its direction, its arguments as a list, and its reply', () => {
    const document = asyncApi(shop, { toJSONSchema: z.toJSONSchema as ToJSONSchema }) as {
      channels: { main: { address: string; messages: Record<string, { payload: object }> } };
      operations: Record<string, { action: string; reply?: { messages: { $ref: string }[] } }>;
    };
    const { main } = document.channels;
    expect(main.address).toBe('/');
    expect(Object.entries(document.operations).map(([name, { action }]) => `${name}: ${action}`)).toEqual([
      ...['receive.item/add~now: receive', 'receive.leave: receive', 'receive.at: receive'],
      ...['send.added: send', 'send.leave: send'],
    ]);
    // The last two may be left out.
    expect(main.messages['receive.item/add~now']?.payload).toMatchObject({ type: 'array', minItems: 1, maxItems: 3 });
    expect(main.messages['receive.leave']?.payload).toEqual({ type: 'array', maxItems: 0 });
    // What is sent, and not what is made of it.
    expect(main.messages['receive.at']?.payload).toMatchObject({ items: [{ type: 'string' }] });
    expect(main.messages['send.added']).toMatchObject({
      ...{ name: 'added', description: 'Something was added.' },
      payload: { items: [{ type: 'object', properties: { id: { type: 'string', maxLength: 12 } } }] },
    });
    const [reply] = document.operations['receive.item/add~now']?.reply?.messages ?? [];
    expect(found(document, reply!.$ref)).toMatchObject({ payload: { properties: { id: { type: 'string' } } } });
    expect(document.operations['receive.at']?.reply).toBeUndefined();
  });

  test('says nothing of what JSON has no word for: a date is anything', () => {
    const odd = contract({
      clientToServer: { odd: { args: [z.string(), z.object({ at: z.date(), big: z.bigint() })], reply: z.date() } },
    });
    const { channels } = asyncApi(odd, { toJSONSchema: z.toJSONSchema as ToJSONSchema }) as never as {
      channels: { main: { messages: Record<string, { payload: object }> } };
    };
    expect(channels.main.messages).toMatchObject({
      'receive.odd': { payload: { items: [{ type: 'string' }, { properties: { at: {}, big: {} } }] } },
      'reply.receive.odd': { payload: {} },
    });
  });

  test('names the event whose schema cannot be told', () => {
    const odd = contract({ clientToServer: { odd: { args: [z.string(), z.date()] } } });
    const strict = (schema: z.ZodType) => z.toJSONSchema(schema);
    expect(() => asyncApi(odd, { toJSONSchema: strict as ToJSONSchema })).toThrow(
      'odd (clientToServer): argument 2 cannot be told in JSON Schema: Date cannot be represented in JSON Schema',
    );
    expect(() => asyncApi(odd, { toJSONSchema: () => undefined as never })).toThrow(
      'odd (clientToServer): argument 1: toJSONSchema has given nothing, and no JSON Schema.',
    );
  });
});
