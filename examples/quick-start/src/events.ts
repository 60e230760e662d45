export interface ClientToServer {
  'message:send'(room: string, text: string): { id: string };
}
export interface ServerToClient {
  message(m: { from: string; text: string }): void;
}
