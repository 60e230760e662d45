// The chat as one person sees it: the socket, the rooms, what was said since joining. No DOM: what has changed is told to
// the view.
import { type ConnectInfo, connect, PublicError, type Socket } from '@halyard/client';
import type { ClientToServer, Message, Person, RoomSummary, ServerToClient } from '../events';

export interface Note {
  readonly kind: 'joined' | 'recovered' | 'new-session';
  readonly text: string;
  readonly at: Date;
}

export type Entry = Message | Note;

/** A message that the server has not confirmed. */
export interface Draft {
  readonly text: string;
  /** Why it was not sent, or is not known to be. Without it: on its way, or waiting for the connection. */
  problem?: string;
}

export interface Room {
  readonly name: string;
  /** Oldest first. */
  readonly entries: Entry[];
  readonly drafts: Set<Draft>;
  /** Ids of those who are typing, and until when to believe it. */
  readonly typing: Map<string, number>;
  people: readonly Person[];
  unread: number;
}

export type State = 'connecting' | 'connected' | 'new-session' | 'reconnecting' | 'offline' | 'closed';

/** What shows the chat. Each is called when that part has changed. */
export interface View {
  showStatus(state: State, transport: string | undefined): void;
  showRooms(chat: Chat): void;
  showPeople(chat: Chat): void;
  showTyping(chat: Chat): void;
  showDrafts(chat: Chat): void;
  /** The current room is another one. */
  showRoom(chat: Chat): void;
  /** The current room has one more entry. */
  append(entry: Entry, chat: Chat): void;
  /** The server did not let us in. */
  refuse(problem: string): void;
  warn(problem: string): void;
  /** Another one of many servers serves us now. */
  showNode(name: string): void;
}

/** Older messages of a room are forgotten. */
export const entriesMax = 500;
const typingShownMs = 4_000;
const typingToldMs = 2_000;
const newSessionShownMs = 10_000;

/** What people are told of why a session was not resumed. */
const newSessionNotes = new Map([
  ['unknown-session', 'The server does not know you any more, so you are in a new session.'],
  ['log-trimmed', 'More was said than the server keeps, so you are in a new session.'],
]);
const newSessionNote = 'You are in a new session.';

/** What a person is told of a message that was not answered. Other errors have words of the server's. */
const problems = new Map<unknown, string>([
  ['ERR_SESSION_LOST', 'It may not have arrived.'],
  ['ERR_DISCONNECTED', 'It may not have arrived: you were disconnected.'],
  ['ERR_NOT_CONNECTED', 'Not sent. You are disconnected: connect again first.'],
]);

export class Chat {
  readonly name: string;
  /** The rooms we are in, by name. */
  readonly rooms = new Map<string, Room>();
  /** All rooms there are. */
  summaries: readonly RoomSummary[] = [];
  current: Room;
  readonly #socket: Socket<ServerToClient, ClientToServer>;
  readonly #view: View;
  /** Ours, one for every session. */
  readonly #ids = new Set<string>();
  #wasConnected = false;
  #node = '';
  #newSessionUntil = 0;
  #typingToldAt = 0;

  constructor(name: string, room: string, view: View) {
    this.name = name;
    this.#view = view;
    this.current = this.#add(room);
    const socket = connect<ServerToClient, ClientToServer>(undefined, {
      // Asked again at every connect: in a new session we are back in our rooms before anything else happens.
      auth: () => ({ name, rooms: [...this.rooms.keys()] }),
      // A message that waits for the network is not lost: it is confirmed late.
      ackTimeoutMs: Number.POSITIVE_INFINITY,
    });
    this.#socket = socket;
    socket.on('connect', (info) => this.#connected(info));
    socket.on('connect_error', (error) => {
      // Other errors are of the network: there will be another attempt.
      if (error instanceof PublicError) view.refuse(error.message);
    });
    socket.connection.on('state', () => {
      // Nobody tells us now that somebody has stopped.
      if (!socket.connected) for (const { typing } of this.rooms.values()) typing.clear();
      this.showStatus();
      view.showDrafts(this);
      view.showTyping(this);
    });
    socket.on('rooms', (summaries) => {
      this.summaries = summaries;
      view.showRooms(this);
    });
    socket.on('people', (name, people) => {
      const room = this.rooms.get(name);
      if (room === undefined) return;
      room.people = people;
      if (room !== this.current) return;
      view.showPeople(this);
      view.showTyping(this);
    });
    socket.on('message', (message) => {
      const room = this.rooms.get(message.room);
      if (room === undefined) return;
      room.typing.delete(message.from);
      if (room !== this.current || document.hidden) room.unread++;
      this.#append(room, message);
      view.showTyping(this);
      view.showRooms(this);
    });
    socket.on('node', (name) => {
      this.#node = name;
      view.showNode(name);
    });
    socket.on('typing', (name, person, isTyping) => {
      const typing = this.rooms.get(name)?.typing;
      if (isTyping) {
        typing?.set(person, Date.now() + typingShownMs);
        setTimeout(() => view.showTyping(this), typingShownMs + 50);
      } else typing?.delete(person);
      view.showTyping(this);
    });
  }

  /** Our id as the server has it; the same while the session lives. */
  get id(): string | undefined {
    return this.#socket.id;
  }

  get isConnected(): boolean {
    return this.#socket.connected;
  }

  /** Names of those who are typing in the current room. */
  get typists(): string[] {
    const { people, typing } = this.current;
    return people.filter(({ id, away }) => !away && (typing.get(id) ?? 0) > Date.now()).map(({ name }) => name);
  }

  wrote(message: Message): boolean {
    return this.#ids.has(message.from);
  }

  send(text: string): void {
    const room = this.current;
    const draft: Draft = { text };
    room.drafts.add(draft);
    this.#typingToldAt = 0;
    void this.#deliver(room, draft);
  }

  retry(draft: Draft): void {
    delete draft.problem;
    void this.#deliver(this.current, draft);
  }

  discard(draft: Draft): void {
    this.current.drafts.delete(draft);
    this.#view.showDrafts(this);
  }

  /** Tells the room that we are typing, now and then, or that we are not any more. */
  typing(isTyping: boolean): void {
    const isKnown = isTyping ? Date.now() < this.#typingToldAt + typingToldMs : this.#typingToldAt === 0;
    if (isKnown) return;
    this.#typingToldAt = isTyping ? Date.now() : 0;
    this.#socket.volatile.emit('typing', this.current.name, isTyping);
  }

  /** Shows a room; joins it first if we are not in it. */
  open(name: string): void {
    this.typing(false);
    const known = this.rooms.get(name);
    this.current = known ?? this.#add(name);
    if (known === undefined) {
      this.#socket.emitWithAck('room:join', name).catch((error: Error) => {
        // In a new session we are in the room by `auth`.
        if (codeOf(error) === 'ERR_SESSION_LOST') return;
        this.#remove(name);
        this.#view.warn(error.message);
      });
    }
    this.read();
    this.#view.showRoom(this);
  }

  leave(): void {
    const { name } = this.current;
    this.#remove(name);
    this.#socket.emit('room:leave', name);
  }

  /** The person looks at the current room. */
  read(): void {
    this.current.unread = 0;
    this.#view.showRooms(this);
  }

  reconnect(): void {
    this.#socket.connect();
  }

  /** Kills the server that serves us. */
  killNode(): void {
    this.#socket.emit('node:kill', this.#node);
  }

  showStatus(): void {
    this.#view.showStatus(this.#state, this.#socket.connected ? this.#socket.connection.transport : undefined);
  }

  async #deliver(room: Room, draft: Draft): Promise<void> {
    this.#view.showDrafts(this);
    try {
      const message = await this.#socket.emitWithAck('message:send', room.name, draft.text);
      room.drafts.delete(draft);
      this.#append(room, message);
    } catch (error) {
      draft.problem = problems.get(codeOf(error)) ?? `Not sent. ${(error as Error).message}`;
    }
    this.#view.showDrafts(this);
  }

  #connected({ recovered, reason = '' }: ConnectInfo): void {
    if (recovered) this.#note('recovered', 'Back again. Nothing was missed.');
    else if (this.#wasConnected) {
      this.#newSessionUntil = Date.now() + newSessionShownMs;
      setTimeout(() => this.showStatus(), newSessionShownMs + 50);
      const why = newSessionNotes.get(reason) ?? newSessionNote;
      this.#note('new-session', `${why} What was said meanwhile may be missing.`);
    }
    if (this.id !== undefined) this.#ids.add(this.id);
    this.#wasConnected = true;
    this.showStatus();
  }

  get #state(): State {
    if (this.#socket.connected) return Date.now() < this.#newSessionUntil ? 'new-session' : 'connected';
    if (this.#socket.connection.state === 'closed') return 'closed';
    if (!navigator.onLine) return 'offline';
    return this.#wasConnected ? 'reconnecting' : 'connecting';
  }

  #note(kind: Note['kind'], text: string): void {
    for (const room of this.rooms.values()) {
      const last = room.entries.at(-1);
      // On a bad network one note is enough.
      if (last === undefined || !('kind' in last) || last.kind !== kind)
        this.#append(room, { kind, text, at: new Date() });
    }
  }

  #append(room: Room, entry: Entry): void {
    room.entries.push(entry);
    if (room.entries.length > entriesMax) room.entries.shift();
    if (room === this.current) this.#view.append(entry, this);
  }

  #add(name: string): Room {
    const joined: Note = { kind: 'joined', text: 'You joined. What is said from now on is kept here.', at: new Date() };
    const room: Room = { name, entries: [joined], drafts: new Set(), typing: new Map(), people: [], unread: 0 };
    this.rooms.set(name, room);
    return room;
  }

  #remove(name: string): void {
    this.rooms.delete(name);
    const [next] = this.rooms.values();
    if (next !== undefined && this.current.name === name) this.open(next.name);
    else this.#view.showRooms(this);
  }
}

function codeOf(error: unknown): unknown {
  return error instanceof Error && 'code' in error ? error.code : undefined;
}
