// The host that a request was sent to, as its field `Host` or what a proxy says of it has it (RFC 9110 §7.2).

const hostForm = /^(?:[\w.-]+|\[[\da-f:.]+\])(?::\d{0,5})?$/i;

/** @returns whether it is a name or an address, and a port: with anything else a URL that is made with it has another path than was asked for */
export function isHost(text: string): boolean {
  return hostForm.test(text);
}
