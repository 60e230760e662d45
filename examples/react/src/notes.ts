// The server: notes go to everybody, those who come later get all of them.
import { readFileSync } from 'node:fs';
import { PublicError, Server } from '@halyard/server';
import { type ClientToServer, type Note, type ServerToClient, textCharsMax } from './events';

const notesMax = 100;

/** @param folder of the built page */
export function notesServer(folder: URL): Server<ClientToServer, ServerToClient> {
  const pages = new Map([
    ['/', answerOf(new URL('index.html', folder), 'text/html; charset=utf-8')],
    ['/page.js', answerOf(new URL('page.js', folder), 'text/javascript; charset=utf-8')],
  ]);
  const io = new Server<ClientToServer, ServerToClient>({
    fetch: (request) =>
      pages.get(new URL(request.url).pathname)?.() ?? new Response('Nothing here.\n', { status: 404 }),
  });
  const notes: Note[] = [];
  let last = 0;
  io.on('connection', (socket) => {
    for (const note of notes) socket.emit('note', note);
    socket.on('note:add', (text) => {
      if (typeof text !== 'string' || text === '' || text.length > textCharsMax) {
        throw new PublicError('ERR_NOTE', `A note has 1 to ${textCharsMax} characters.`);
      }
      const note = { id: ++last, text };
      notes.push(note);
      if (notes.length > notesMax) notes.shift();
      io.emit('note', note);
    });
  });
  return io;
}

function answerOf(file: URL, type: string): () => Response {
  const content = readFileSync(file);
  return () => new Response(content, { headers: { 'content-type': type } });
}
