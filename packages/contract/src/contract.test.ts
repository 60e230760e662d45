import { LocalUsageError } from '@halyard/protocol';
import { type } from 'arktype';
import protobufjs from 'protobufjs';
import * as v from 'valibot';
import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { contract } from './index';

const text = z.string();

/** @returns what a contract says of itself that cannot be */
function refusal(...parts: unknown[]): string {
  try {
    contract(...(parts as Parameters<typeof contract>));
  } catch (error) {
    expect(error).toBeInstanceOf(LocalUsageError);
    expect(error).toMatchObject({ code: 'ERR_CONTRACT' });
    return (error as Error).message;
  }
  return 'none';
}

function message(fields: string): protobufjs.Type {
  return protobufjs.parse(`syntax = "proto3"; message M { ${fields} }`).root.lookupType('M');
}

describe('a contract', () => {
  test('has the events of all of its parts, of any library', () => {
    const chat = contract({ clientToServer: { say: { args: [text, v.number()], reply: type('string') }, leave: {} } });
    const both = contract(chat, {
      serverToClient: { said: { args: [text] } },
      clientToServer: { ban: { args: [text] } },
    });
    expect(Object.keys(both.clientToServer)).toEqual(['say', 'leave', 'ban']);
    expect(Object.keys(both.serverToClient)).toEqual(['said']);
    expect(both.clientToServer.say).toBe(chat.clientToServer.say);
  });

  test('that is empty is one', () => {
    expect(contract()).toMatchObject({ clientToServer: {}, serverToClient: {}, types: {} });
  });

  test('may have an event of one name in both directions', () => {
    const typing = { args: [z.boolean()] };
    expect(contract({ clientToServer: { typing }, serverToClient: { typing } }).serverToClient.typing).toBe(typing);
  });

  test('has the message types of its events', () => {
    const [point, line] = [message('int32 x = 1;'), message('string text = 1;')];
    const place = z.object({ x: z.int() });
    const { types } = contract({
      clientToServer: { move: { args: [place], protobuf: point }, say: { args: [text] } },
      serverToClient: { placed: { args: [place], protobuf: point }, line: { args: [text], protobuf: line } },
    });
    expect(types).toEqual({ move: point, placed: point, line });
  });
});

test.each([
  [
    'two events of one name',
    [{ clientToServer: { say: {} } }, { clientToServer: { say: { args: [text] } } }],
    `The contract's event "say" (clientToServer) is there twice: two events have one name.`,
  ],
  [
    'a schema that is none',
    [{ clientToServer: { say: { args: [text, 'string'] } } }],
    `The contract's event "say" (clientToServer) has in args[1] what is no schema: it may be one of zod, valibot, arktype, or any library of standardschema.dev, and is a text.`,
  ],
  [
    'a reply that is no schema',
    [{ serverToClient: { ask: { reply: { id: 'string' } } } }],
    `The contract's event "ask" (serverToClient) has in reply what is no schema: it may be one of zod, valibot, arktype, or any library of standardschema.dev, and is an object.`,
  ],
  [
    'a schema of another time',
    [{ clientToServer: { say: { args: [{ '~standard': { version: 2, validate: () => {} } }] } } }],
    `The contract's event "say" (clientToServer) has in args[0] what is a schema of version 2 of Standard Schema, and not of 1.`,
  ],
  [
    'the name of a lifecycle event',
    [{ serverToClient: { disconnect: {} } }],
    `The contract's event "disconnect" (serverToClient) has the name of a lifecycle event, which no other event may have.`,
  ],
  [
    'no name',
    [{ clientToServer: { '': {} } }],
    `The contract's event "" (clientToServer) has a name that no event may have: it is text of 1 to 256 characters.`,
  ],
  [
    'a list of arguments that is none',
    [{ clientToServer: { say: { args: text } } }],
    `The contract's event "say" (clientToServer) has in args a list of schemas, and not an object.`,
  ],
  [
    'a schema in place of an event',
    [{ clientToServer: { say: [text] } }],
    `The contract's event "say" (clientToServer) is an object such as { args: [schema], reply: schema }, and not a list.`,
  ],
  [
    'what no event has',
    [{ clientToServer: { say: { arg: [text] } } }],
    `The contract's event "say" (clientToServer) has no "arg": it may have args, reply, description, protobuf.`,
  ],
  ['no object', ['chat'], 'A contract is an object, and not a text.'],
  ['what no contract has', [{ events: {} }], 'A contract has no "events": it has clientToServer, serverToClient.'],
  ['events that are none', [{ clientToServer: [] }], `A contract's clientToServer is an object, and not a list.`],
  [
    'a message type that is none',
    [{ clientToServer: { move: { args: [text], protobuf: 'Point' } } }],
    `The contract's event "move" (clientToServer) has in protobuf a message type, with encode and decode, and not a text.`,
  ],
  [
    'a message type for two arguments',
    [{ clientToServer: { move: { args: [text, text], protobuf: message('int32 x = 1;') } } }],
    `The contract's event "move" (clientToServer) has a message type in protobuf, which is for one argument, and it takes 2.`,
  ],
  [
    'two message types of one name',
    [{ clientToServer: { move: { args: [text], protobuf: message('int32 x = 1;') } }, serverToClient: { move: {} } }],
    `The contract's event "move" (serverToClient) is there in both directions, and has to have the same message type in protobuf in both.`,
  ],
])('a contract with %s is refused, and says where', (_, parts, words) => {
  expect(refusal(...parts)).toBe(words);
});
