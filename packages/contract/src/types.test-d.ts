// What must compile of a contract, and what must not. Checked by the compiler, never run.
import type { StandardSchemaV1 } from '@standard-schema/spec';
import { type } from 'arktype';
import * as v from 'valibot';
import { z } from 'zod';
import {
  contract,
  type Emit,
  type Incoming,
  type Input,
  type Listen,
  type Outgoing,
  type Output,
  type Schema,
} from './index';

type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;

function same<A, B>(_: Same<A, B>): void {}

const chat = contract({
  clientToServer: {
    'message:send': { args: [z.string(), z.string().max(500)], reply: z.object({ id: z.string() }) },
    at: { args: [z.iso.datetime().transform((text) => new Date(text)), z.number().optional()] },
    leave: {},
  },
  serverToClient: {
    message: { args: [v.object({ from: v.string(), text: v.optional(v.string(), 'nothing') })] },
    ask: { args: [type('string')], reply: type('boolean') },
  },
});

type ChatIncoming = Incoming<typeof chat>;
same<ChatIncoming['message:send'], (room: string, text: string) => { id: string }>(true);
// Handlers get what the schema makes of it, and who sends gives what it takes.
same<ChatIncoming['at'], (time: Date, place?: number) => void>(true);
same<Emit<typeof chat>['at'], (time: string, place?: number) => void>(true);
same<ChatIncoming['leave'], () => void>(true);
same<keyof ChatIncoming, 'message:send' | 'at' | 'leave'>(true);
same<Outgoing<typeof chat>['ask'], (question: string) => boolean>(true);
same<Parameters<Listen<typeof chat>['message']>, [message: { from: string; text?: string | undefined }]>(true);
same<Parameters<Listen<typeof chat>['message']>[0]['from'], string>(true);

// One of several parts, of which a contract may be one.
const whole = contract(chat, { clientToServer: { ban: { args: [z.string()] } } });
same<keyof Incoming<typeof whole>, 'message:send' | 'at' | 'leave' | 'ban'>(true);
same<Incoming<typeof whole>['ban'], (user: string) => void>(true);
same<Outgoing<typeof whole>['ask'], (question: string) => boolean>(true);

// One without a direction has no events in it.
const mute = contract({ serverToClient: { tick: {} } });
same<keyof Incoming<typeof mute>, never>(true);

// What is undefined is not there.
const unsaid = contract({
  clientToServer: { leave: { args: undefined, reply: undefined, description: undefined, protobuf: undefined } },
  serverToClient: undefined,
});
same<Incoming<typeof unsaid>['leave'], () => void>(true);
same<keyof Outgoing<typeof unsaid>, never>(true);

// The schemas of the standard are schemas.
const standard = {} as StandardSchemaV1<string, number>;
const schema: Schema<string, number> = standard;
same<Input<typeof standard>, string>(true);
same<Output<typeof standard>, number>(true);

// @ts-expect-error text is no schema
contract({ clientToServer: { a: { args: ['string'] } } });
// @ts-expect-error nothing has this name
contract({ clientToServer: { a: { arg: [z.string()] } } });
void schema;
