// What a page and the server say to each other. Both sides import this file: a wrong event name, argument or reply does
// not compile.

export interface Person {
  readonly id: string;
  readonly name: string;
  /** The connection is lost, and the session waits for it to come back. */
  readonly away: boolean;
}

export interface Message {
  readonly id: string;
  readonly room: string;
  /** Id of the person who wrote it. */
  readonly from: string;
  readonly name: string;
  readonly text: string;
  readonly at: Date;
}

export interface RoomSummary {
  readonly name: string;
  readonly people: number;
}

export interface ClientToServer {
  /** Refused with `ERR_ROOM` or `ERR_TOO_MANY_ROOMS`. */
  'room:join'(room: string): void;
  'room:leave'(room: string): void;
  /** The reply is the sender's copy; everyone else in the room gets `message`. Refused with `ERR_TEXT` or `ERR_NOT_IN_ROOM`. */
  'message:send'(room: string, text: string): Message;
  /** Now and then while it is so, and once when it is not so any more; a message says that by itself. */
  typing(room: string, isTyping: boolean): void;
  /** Where there are many servers: kills the one of that name, if it is the one that gets this. */
  'node:kill'(name: string): void;
}

export interface ServerToClient {
  /** All rooms, whenever someone has joined or left one. */
  rooms(rooms: readonly RoomSummary[]): void;
  /** Who is in a room of yours, whenever that has changed. */
  people(room: string, people: readonly Person[]): void;
  message(message: Message): void;
  typing(room: string, person: string, isTyping: boolean): void;
  /** Where there are many servers: which one serves us now. */
  node(name: string): void;
}
