// The chat as a program: where it listens, what it serves, how it ends.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { afterEach, expect, test } from 'vitest';
import { freePort } from '../kit/ports';
import { type ChatServer, chatScript, startChat } from './chat-server';

let chat: ChatServer | undefined;

afterEach(async () => {
  await chat?.stop();
  chat = undefined;
});

test('it listens on PORT, serves the page, and ends with 0', async () => {
  const port = await freePort();
  chat = await startChat(port);
  expect(chat.url).toBe(`http://localhost:${port}`);
  for (const [path, type] of [
    ['/', 'text/html'],
    ['/chat.css', 'text/css'],
    ['/chat.js', 'text/javascript'],
  ]) {
    const response = await fetch(`${chat.url}${path}`);
    expect(response.status).toBe(200);
    expect(response.headers.get('content-type')).toBe(`${type}; charset=utf-8`);
    expect(response.headers.get('content-security-policy')).toContain("script-src 'self'");
  }
  for (const path of ['/nowhere', '/../server.js', '/%2e%2e/server.js']) {
    expect((await fetch(`${chat.url}${path}`)).status).toBe(404);
  }
  expect((await fetch(chat.url, { method: 'POST' })).status).toBe(405);
  expect(await chat.stop()).toBe(0);
});

test('a port that is taken, or none, is told with what to do, and it ends with 1', async () => {
  chat = await startChat();
  for (const port of [`${chat.port}`, 'abc']) {
    const child = spawn(process.execPath, [chatScript], { env: { ...process.env, PORT: port } });
    const [errors, output, [code]] = await Promise.all([text(child.stderr), text(child.stdout), once(child, 'exit')]);
    expect(errors).toContain(`The chat cannot use port ${port}: `);
    expect(errors).toContain('PORT=3001 npm run demo');
    expect(output).toBe('');
    expect(code).toBe(1);
  }
});
