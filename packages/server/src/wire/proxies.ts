// Which proxies are believed when they say who a client is (`X-Forwarded-For`), and which host it has asked (`X-Forwarded-Host`).
import { BlockList, isIP } from 'node:net';
import { addressOfText } from '../host/address';
import type { Peer } from '../host/host';

/** Whether the nearest proxy is believed, whoever it is; or only those that are listed. */
export type Trust = boolean | Proxies;

/** The proxies that are listed: by their addresses, or by networks of them (`10.0.0.0/8`). */
export class Proxies {
  readonly #list = new BlockList();

  /** @param ranges of which each is one, as `isRange` says */
  constructor(ranges: readonly string[]) {
    for (const range of ranges) {
      const [address, length] = range.split('/') as [string, string?];
      const family = isIP(address) === 4 ? 'ipv4' : 'ipv6';
      if (length === undefined) this.#list.addAddress(address, family);
      else this.#list.addSubnet(address, Number(length), family);
    }
  }

  has(address: string): boolean {
    const family = isIP(address);
    return family !== 0 && this.#list.check(address, family === 4 ? 'ipv4' : 'ipv6');
  }
}

/** Whether a text is an address, or a network of them. */
export function isRange(range: unknown): boolean {
  if (typeof range !== 'string') return false;
  const [, address = '', length] = /^([^/]+)(?:\/(\d{1,3}))?$/.exec(range) ?? [];
  const family = isIP(address);
  return family !== 0 && (length === undefined || Number(length) <= (family === 4 ? 32 : 128));
}

/** Whether what a request says of the way that it has come is believed. */
export function isBelieved({ address }: Peer, trust: Trust): boolean {
  return typeof trust === 'boolean' ? trust : trust.has(address);
}

/**
 * @returns the client's address: the socket's; or, if proxies are trusted, what the nearest one saw. Of listed proxies one may stand behind
 * another: then it is what the first of them saw
 */
export function clientAddress(peer: Peer, trust: Trust): string {
  const forwarded = isBelieved(peer, trust) ? peer.headers.get('x-forwarded-for') : undefined;
  if (forwarded === undefined) return peer.address;
  // What is no address is shown as well, in logs too.
  const seen = forwarded.split(',').map((one) => addressOfText(one.trim()).replace(/[^ -~]/g, '?'));
  if (typeof trust === 'boolean') return seen.pop() || peer.address;
  let { address } = peer;
  while (seen.length > 0 && trust.has(address)) address = seen.pop() || address;
  return address;
}
