// Ids of sockets, where others share the store: who knows one knows which session a message for it goes to. The id of a session
// opens nothing: that takes its secret.

const form = /^([\w-]{16})\.[\w-]{8}$/;

/** @param random 8 characters of base64url */
export function socketIdIn(session: string, random: string): string {
  return `${session}.${random}`;
}

/** @returns the id of the session of a socket of such an id; undefined if it is no such id */
export function sessionIn(socket: string): string | undefined {
  return form.exec(socket)?.[1];
}
