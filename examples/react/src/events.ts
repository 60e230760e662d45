/** A note has no more. */
export const textCharsMax = 200;

export interface ClientToServer {
  'note:add'(text: string): void;
}
export interface ServerToClient {
  note(note: Note): void;
}

export interface Note {
  readonly id: number;
  readonly text: string;
}
