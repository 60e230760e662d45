export interface ClientToServer {
  'note:add'(text: string): { id: number };
}
export interface ServerToClient {
  note(note: Note): void;
}

export interface Note {
  readonly id: number;
  readonly text: string;
}
