import { expect, test } from 'vitest';
import { Peer } from '../host/host';
import { Addresses } from './addresses';
import { Entry } from './entry';

function entry(connectionsMax: number, handshakesMax: number) {
  const warned: string[] = [];
  const warn = (code: string): void => void warned.push(code);
  const limits = { connectionsPerAddressMax: 100, opensPerAddressPerSecondMax: 100, trustProxy: false };
  const addresses = new Addresses({ ...limits, now: () => 0, warn });
  let handshakes = 0;
  const its = new Entry({
    overload: undefined,
    connectionsMax,
    handshakesMax,
    addresses,
    handshakes: () => handshakes,
    warn,
  });
  const peer = new Peer('192.0.2.1', false, []);
  return {
    warned,
    left: () => its.left(peer),
    /** @returns what is answered; 200 if it has entered */
    open(under = 0) {
      handshakes = under;
      const refusal = its.ask(peer);
      if (refusal === undefined) its.entered(peer);
      const { code } = JSON.parse(String(refusal?.body ?? '{}')) as { code?: string };
      return refusal ? [refusal.status, code, refusal.headers?.['retry-after']] : [200];
    },
  };
}

test('there are so many connections, and what is gone makes room', () => {
  const { open, left, warned } = entry(2, 100);
  expect([open(), open(), open()]).toEqual([[200], [200], [503, 'ERR_TOO_MANY_CONNECTIONS', '5']]);
  left();
  expect([open(), warned]).toEqual([[200], ['connectionsMax']]);
});

test('so many of them have not been welcomed', () => {
  const { open, warned } = entry(100, 3);
  expect([open(2), open(3), open(2)]).toEqual([[200], [503, 'ERR_TOO_MANY_HANDSHAKES', '1'], [200]]);
  expect(warned).toEqual(['handshakesMax']);
});
