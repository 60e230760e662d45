// What must compile, and what must not. Checked by the compiler, never run.
import type { Server } from '@halyard/server';
import { Emitter } from './index';

interface ServerToClient {
  message(m: { from: string; text: string }): void;
  ask(question: string): boolean;
}
interface Data {
  user: string;
}
interface ServerSide {
  reload(what: string): number;
}

const emitter = new Emitter<ServerToClient, Data, ServerSide>({ url: 'redis://127.0.0.1', ackTimeoutMs: 5 });
// @ts-expect-error there is no such option
new Emitter({ url: 'redis://127.0.0.1', ackTimeout: 5 });

emitter.to('room').in(['a', 'b']).except('c').volatile.emit('message', { from: '', text: '' });
// @ts-expect-error there is no such event
emitter.to('room').emit('massage', { from: '', text: '' });
// @ts-expect-error text is missing
emitter.emit('message', { from: '' });
const stored: Promise<void> = emitter.idempotencyKey('1').emitDurable('message', { from: '', text: '' });
// @ts-expect-error the argument is wrong
void emitter.emitDurable('ask', 1);
const replies: Promise<{ replies: boolean[]; missing: readonly string[] }> = emitter.timeout(5).emitWithAck('ask', '');
const users: Promise<string[]> = emitter.fetchSockets().then((sockets) => sockets.map(({ data }) => data.user));
const numbers: Promise<{ replies: number[] }> = emitter.serverSideEmitWithAck('reload', 'all');
// @ts-expect-error there is no such event between servers
emitter.serverSideEmit('load');
emitter.of<{ typed(): void }>('/chat').to('room').emit('typed');
// @ts-expect-error it is no event of that namespace
emitter.of<{ typed(): void }>('/chat').emit('message', { from: '', text: '' });
// @ts-expect-error nobody connects to it
emitter.on('connection', () => {});

// What a server can tell its clients, by one type for both.
declare const io: Server<object, ServerToClient, Data, ServerSide>;
for (const one of [io, emitter]) one.to('room').emit('message', { from: '', text: '' });
void [stored, replies, users, numbers];
