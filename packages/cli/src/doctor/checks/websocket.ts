// Whether a WebSocket opens, and what has become of its handshake if not.
import { upgradeLines } from '../advice';
import { type Check, fault, type Outcome } from '../check';
import { commonly, echoed } from '../echo';
import { described, strange, wordsOf } from '../refusal';
import type { Visit } from '../visit';

export const websocket: Check = {
  name: 'websocket',
  about: 'a WebSocket opens and carries packets',
  needs: 'server',
  async run(visit) {
    const opening = await visit.open('websocket');
    if (opening.kind === 'open') return [await echoed(visit, opening)];
    const common = commonly('websocket', opening);
    if (common !== undefined) return [common];
    if (opening.kind === 'refused') return [handshakeLost(visit, opening.answer)];
    return [
      fault(
        `The handshake of a WebSocket has no answer within ${visit.options.waitMs / 1_000} seconds, and other requests have.`,
        'Something on the way waits for the end of an answer that is none, because it does not know WebSockets.',
        ...upgradeLines(visit),
      ),
    ];
  },
};

function handshakeLost(visit: Visit, answer: Parameters<typeof described>[0]): Outcome {
  const code = wordsOf(answer)?.code;
  const it = described(answer);
  if (code === 'ERR_UPGRADE_REQUIRED') {
    return fault(
      `The handshake of a WebSocket has come to the server without its "Upgrade" (${it}): a proxy on the way does not pass that on.`,
      ...upgradeLines(visit),
      'HAProxy passes it on by itself. Clients take sse or polling meanwhile.',
    );
  }
  if (code === 'ERR_HANDSHAKE') {
    return fault(
      `The handshake of a WebSocket has come to the server with "Upgrade" and without its "Connection" (${it}).`,
      ...upgradeLines(visit),
    );
  }
  if (code !== undefined) {
    return fault(
      `The handshake of a WebSocket was changed on the way: ${it}`,
      'The headers Sec-WebSocket-Key and Sec-WebSocket-Version have to arrive as they are sent.',
    );
  }
  return strange(visit, answer, 'The handshake of a WebSocket');
}
