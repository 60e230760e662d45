// The chat: its rules, and who is told what. Rooms and who is in them are Halyard's. Servers that share a store are one chat.
import { PublicError, Server, type ServerOptions } from '@halyard/server';
import type { ClientToServer, Message, Person, ServerToClient } from './events';
import { servePage } from './page-files';
import { limits, nameFrom, rules, textFrom } from './rules';

/** What is known of a person: becomes `socket.data`, which goes with the session from server to server. */
interface Guest {
  name: string;
  rooms: string[];
  away: boolean;
}

export type ChatServer = Server<ClientToServer, ServerToClient, Guest>;

/** Servers that are slower than that are left out of who is there, in milliseconds. */
const rosterTimeoutMs = 1_000;

export function chatServer(options: ServerOptions = {}): ChatServer {
  const io: ChatServer = new Server({ fetch: servePage, ...options });

  // Rooms come with the name, so that a person who gets a new session is back in them before anything else happens.
  io.use(({ auth, data }) => {
    const name = nameFrom(auth.name, limits.nameCharsMax);
    if (name === undefined) throw new PublicError('ERR_NAME', rules.name);
    const rooms = Array.isArray(auth.rooms) ? auth.rooms.slice(0, limits.roomsPerPersonMax) : [];
    data.name = name;
    data.rooms = [...new Set(rooms.map(roomFrom))];
  });

  // Also of a session that comes from another server: its rooms are there then.
  io.on('connection', (socket) => {
    const { id, data } = socket;
    const { name } = data;
    data.away = false;
    for (const room of data.rooms) socket.join(room);
    announce(...data.rooms);

    socket.on('room:join', (value) => {
      const room = roomFrom(value);
      if (data.rooms.length >= limits.roomsPerPersonMax && !data.rooms.includes(room)) {
        throw new PublicError(
          'ERR_TOO_MANY_ROOMS',
          `You can be in ${limits.roomsPerPersonMax} rooms: leave one first.`,
        );
      }
      data.rooms = [...new Set(data.rooms).add(room)];
      socket.join(room);
      announce(room);
    });

    socket.on('room:leave', (room) => {
      if (!data.rooms.includes(room)) return;
      data.rooms = data.rooms.filter((other) => other !== room);
      socket.leave(room);
      announce(room);
    });

    socket.on('message:send', (room, value) => {
      const text = textFrom(value);
      if (text === undefined) throw new PublicError('ERR_TEXT', rules.text);
      if (!data.rooms.includes(room)) throw new PublicError('ERR_NOT_IN_ROOM', 'You are not in this room.');
      const message: Message = { id: crypto.randomUUID(), room, from: id, name, text, at: new Date() };
      socket.to(room).emit('message', message);
      return message;
    });

    socket.on('typing', (room, isTyping) => {
      if (data.rooms.includes(room)) socket.to(room).volatile.emit('typing', room, id, isTyping === true);
    });

    const isAway = (away: boolean) => () => {
      data.away = away;
      announce(...data.rooms);
    };
    socket.on('away', isAway(true));
    socket.on('resume', isAway(false));
    socket.on('disconnect', () => announce(...data.rooms));
  });

  // Whose server was killed, and who has not come back since.
  io.on('session-expired', ({ sockets }) => announce(...sockets.flatMap(({ rooms }) => rooms)));

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

  /** Rooms whose people are to be told. */
  const changed = new Set<string>();
  let isTelling = false;

  function announce(...rooms: string[]): void {
    void tell(rooms);
    // Another server may be telling what it has asked for a moment earlier.
    if (options.adapter !== undefined) setTimeout(() => tell(rooms), rosterTimeoutMs).unref();
  }

  async function tell(rooms: readonly string[]): Promise<void> {
    for (const room of rooms) changed.add(room);
    if (isTelling) return;
    isTelling = true;
    while (changed.size > 0) {
      const toTell = [...changed];
      changed.clear();
      const sockets = await io.timeout(rosterTimeoutMs).fetchSockets();
      const people = new Map<string, Person[]>(toTell.map((room) => [room, []]));
      for (const { id, data, rooms } of sockets) {
        for (const room of rooms) {
          if (room === id) continue;
          const its = people.get(room) ?? [];
          its.push({ id, name: data.name, away: data.away });
          people.set(room, its);
        }
      }
      for (const room of toTell) io.to(room).emit('people', room, people.get(room) ?? []);
      const all = [...people].filter(([, its]) => its.length > 0);
      io.emit(
        'rooms',
        all.map(([name, its]) => ({ name, people: its.length })),
      );
    }
    isTelling = false;
  }

  return io;
}
