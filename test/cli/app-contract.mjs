// What an app exports for `halyard docs`: its contracts, and what makes JSON Schema of their schemas.
import { contract } from '@halyard/contract';
import { z } from 'zod';

export const chat = contract({
  clientToServer: { 'message:send': { args: [z.string().max(500)], reply: z.object({ id: z.string() }) } },
  serverToClient: { message: { args: [z.object({ text: z.string() })] } },
});
export const admin = contract({ clientToServer: { 'user:ban': { args: [z.string()] } } });
export const toJSONSchema = z.toJSONSchema;
export const info = { title: 'A chat', version: '1.2.3' };
