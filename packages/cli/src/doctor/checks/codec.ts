// Which versions and codecs the server has, and whether the client's is one of them.
import { protocolHeader, subprotocol } from '@halyard/protocol';
import { codecOf, isCodecName } from '../../base/codecs';
import { NoAnswer } from '../../probe/http';
import { type Check, fault, ok, warning } from '../check';
import { described, strange, wordsOf } from '../refusal';
import type { Visit } from '../visit';

/** Nobody has it: so the answer lists what there is, and nothing is opened. */
const offered = 'halyard.v1+none';

export const codec: Check = {
  name: 'codec',
  about: 'the server has the codec (--codec) and the version of the protocol that the client speaks',
  needs: 'server',
  async run(visit) {
    const wanted = visit.options.codec.name;
    try {
      const supported = await listed(visit);
      if (!Array.isArray(supported)) return [supported];
      const has = supported.join(', ');
      if (supported.includes(subprotocol(wanted))) return [ok(`The server has ${wanted}: it speaks ${has}.`)];
      const names = supported.flatMap((one) => /^halyard\.v1\+(\w+)$/.exec(one)?.[1] ?? []);
      if (names.length === 0) {
        return [
          fault(`The server speaks ${has}, and no version that this client has.`, 'Update the older of the two.'),
        ];
      }
      const other = names.find(isCodecName);
      if (other !== undefined) visit.codec = await codecOf(other);
      return [
        fault(
          `The client is to speak ${wanted}, and the server does not have it: it speaks ${has}.${other === undefined ? '' : ` What follows is by ${other}.`}`,
          `The server:  new Server({ codecs: [${[...names, wanted].map((name) => `${name}()`).join(', ')}] })`,
          `Or the client:  connect(url, { codec: ${names[0]}() })`,
        ),
      ];
    } catch (error) {
      return [fault(`It was asked for its codecs, and did not answer: ${(error as Error).message}.`)];
    }
  },
};

/** @returns the protocols that the server has, or what it has said instead */
async function listed(visit: Visit) {
  const ways: readonly { readonly method: string; readonly headers: Readonly<Record<string, string>> }[] = [
    { method: 'POST', headers: { [protocolHeader]: offered } },
    { method: 'GET', headers: { [protocolHeader]: offered, accept: 'text/event-stream' } },
    {
      method: 'GET',
      headers: {
        ...{ upgrade: 'websocket', connection: 'Upgrade', 'sec-websocket-version': '13' },
        ...{ 'sec-websocket-key': 'AAAAAAAAAAAAAAAAAAAAAA==', 'sec-websocket-protocol': offered },
      },
    },
  ];
  for (const way of ways) {
    const answer = await visit.ask(way);
    const words = wordsOf(answer);
    if (words?.code === 'ERR_TRANSPORT') continue;
    if (words === undefined) return strange(visit, answer, `${way.method} ${visit.path}`);
    if (words.code !== 'ERR_NO_COMMON_PROTOCOL' || !Array.isArray(words.supported)) {
      return warning(`The server does not say what it speaks: ${described(answer)}`);
    }
    return words.supported.filter((one): one is string => typeof one === 'string');
  }
  throw new NoAnswer('ERR_TRANSPORT', 'all transports are off');
}
