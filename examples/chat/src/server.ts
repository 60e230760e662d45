// The chat's server. Rooms and who is in them are Halyard's; the server adds the rules and says what has changed.
import { PublicError, Server } from '@halyard/server';
import type { ClientToServer, Message, Person, ServerToClient } from './events';
import { servePage } from './page-files';
import { limits, nameFrom, rules, textFrom } from './rules';

/** What is known of a person: becomes `socket.data`. */
interface Guest {
  name: string;
  rooms: Set<string>;
}

const io = new Server<ClientToServer, ServerToClient, Guest>({ fetch: servePage });

// Rooms come with the name, so that a person who gets a new session is back in them before anything else happens.
io.use(({ auth, data }) => {
  const name = nameFrom(auth.name, limits.nameCharsMax);
  if (name === undefined) throw new PublicError('ERR_NAME', rules.name);
  const rooms = Array.isArray(auth.rooms) ? auth.rooms.slice(0, limits.roomsPerPersonMax) : [];
  data.name = name;
  data.rooms = new Set(rooms.map(roomFrom));
});

io.on('connection', (socket) => {
  const { id, data } = socket;
  const { name, rooms } = data;
  for (const room of rooms) socket.join(room);
  announce(...rooms);
  announceRooms();

  socket.on('room:join', (value) => {
    const room = roomFrom(value);
    if (rooms.size >= limits.roomsPerPersonMax && !rooms.has(room)) {
      throw new PublicError('ERR_TOO_MANY_ROOMS', `You can be in ${limits.roomsPerPersonMax} rooms: leave one first.`);
    }
    rooms.add(room);
    socket.join(room);
    announce(room);
    announceRooms();
  });

  socket.on('room:leave', (room) => {
    if (!rooms.delete(room)) return;
    socket.leave(room);
    announce(room);
    announceRooms();
  });

  socket.on('message:send', (room, value) => {
    const text = textFrom(value);
    if (text === undefined) throw new PublicError('ERR_TEXT', rules.text);
    if (!rooms.has(room)) throw new PublicError('ERR_NOT_IN_ROOM', 'You are not in this room.');
    const message: Message = { id: crypto.randomUUID(), room, from: id, name, text, at: new Date() };
    socket.to(room).emit('message', message);
    return message;
  });

  socket.on('typing', (room) => {
    if (rooms.has(room)) socket.to(room).volatile.emit('typing', room, id);
  });

  socket.on('away', () => announce(...rooms));
  socket.on('resume', () => announce(...rooms));
  socket.on('disconnect', () => {
    announce(...rooms);
    announceRooms();
  });
});

function roomFrom(value: unknown): string {
  const room = nameFrom(value, limits.roomCharsMax);
  // A socket's id is a room too, with one member.
  if (room === undefined || io.sockets.has(room)) {
    throw new PublicError('ERR_ROOM', rules.room);
  }
  const known = io.of('/').rooms;
  if (known.size >= limits.roomsMax && !known.has(room)) {
    throw new PublicError('ERR_ROOMS_FULL', 'There are too many rooms. Join one of them.');
  }
  return room;
}

function announce(...changed: string[]): void {
  const { rooms } = io.of('/');
  for (const room of changed) io.to(room).emit('people', room, peopleFrom(rooms.get(room)));
}

function announceRooms(): void {
  io.emit(
    'rooms',
    [...io.of('/').rooms].map(([name, ids]) => ({ name, people: ids.size })),
  );
}

function peopleFrom(ids: ReadonlySet<string> = new Set()): Person[] {
  return [...ids].flatMap((id) => {
    const socket = io.sockets.get(id);
    return socket === undefined ? [] : { id, name: socket.data.name, away: socket.away };
  });
}

const port = Number(process.env.PORT ?? 3000);
try {
  await io.listen(port);
} catch (error) {
  console.error(`The chat cannot use port ${process.env.PORT ?? port}: ${(error as Error).message}`);
  console.error('Perhaps another program has it. Choose another one: PORT=3001 npm run demo');
  process.exit(1);
}
console.log(`Halyard chat: http://localhost:${io.port}`);

for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => io.close());
