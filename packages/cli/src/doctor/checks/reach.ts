// Whether the name leads to an address, and whether something accepts connections there.
import { lookup } from 'node:dns/promises';
import { connect } from 'node:net';
import { hostOf, portOf } from '../../base/target';
import { type Check, fault, note, type Outcome, ok, warning } from '../check';

/** Of one name, more are not tried. */
const addressesMax = 4;

export const reach: Check = {
  name: 'reach',
  about: 'the name leads to addresses, and something accepts connections at each',
  async run(visit) {
    const { target, waitMs } = visit.options;
    const [host, port] = [hostOf(target), portOf(target)];
    let addresses: string[];
    try {
      addresses = (await lookup(host, { all: true })).map(({ address }) => address).slice(0, addressesMax);
    } catch (error) {
      return [unknown(host, (error as NodeJS.ErrnoException).code)];
    }
    const tries = await Promise.all(
      addresses.map(async (address) => ({ address, ...(await knock(address, port, waitMs)) })),
    );
    const open = tries.filter(({ code }) => code === undefined);
    const shut = tries.filter(({ code }) => code !== undefined);
    if (open.length === 0) return [refused(host, port, shut[0]?.code ?? '')];
    visit.isThere = true;
    const first = open[0] as { address: string; tookMs: number };
    const named = host === first.address ? '' : ` (${open.map(({ address }) => address).join(', ')})`;
    const found = [ok(`${host}${named} accepts connections at port ${port}, in ${first.tookMs.toFixed(0)} ms.`)];
    if (shut.length === 0) return found;
    const those = shut.map(({ address, code }) => `${address} (${code})`).join(', ');
    const message = `Of the addresses of ${host}, this does not accept connections at port ${port}: ${those}.`;
    // A server on one machine often listens at one of the two.
    const isOwn = addresses.every((address) => address === '::1' || address.startsWith('127.'));
    const level = isOwn ? note : warning;
    return [
      ...found,
      level(
        message,
        'Clients that try it first wait, or fail. Let the server listen there, or take it out of the DNS.',
      ),
    ];
  },
};

function unknown(host: string, code: string | undefined): Outcome {
  if (code === 'ENOTFOUND') {
    return fault(
      `There is no host named ${host}.`,
      'Is the name spelled right, and is it in the DNS that this machine asks?',
    );
  }
  return fault(`The address of ${host} could not be found (${code}).`, 'Does the DNS of this machine work?');
}

function refused(host: string, port: number, code: string): Outcome {
  if (code === 'ECONNREFUSED') {
    return fault(
      `${host} is there, and nothing listens at port ${port} (${code}).`,
      'Is the server, or its proxy, running? Does it listen at this port, and at this address rather than at 127.0.0.1 alone?',
    );
  }
  return fault(
    `No connection to ${host} at port ${port} (${code}).`,
    'A firewall that drops what comes for this port looks like this; so does a machine that is off.',
  );
}

function knock(
  host: string,
  port: number,
  waitMs: number,
): Promise<{ readonly code?: string; readonly tookMs: number }> {
  const begun = performance.now();
  return new Promise((resolve) => {
    const socket = connect({ host, port });
    const settle = (code?: string): void => {
      clearTimeout(limit);
      socket.destroy();
      resolve({ ...(code !== undefined && { code }), tookMs: performance.now() - begun });
    };
    const limit = setTimeout(() => settle('ETIMEDOUT'), waitMs);
    socket.on('connect', () => settle());
    socket.on('error', (error: NodeJS.ErrnoException) => settle(error.code ?? error.message));
  });
}
