// Whether a stream of server-sent events opens, and comes as it is sent.
import { bufferingLines } from '../advice';
import { type Check, fault } from '../check';
import { commonly, echoed } from '../echo';
import { described, strange, wordsOf } from '../refusal';

export const sse: Check = {
  name: 'sse',
  about: 'a stream (server-sent events) opens, and nothing on the way gathers it',
  needs: 'server',
  async run(visit) {
    const opening = await visit.open('sse');
    if (opening.kind === 'open') return [await echoed(visit, opening)];
    const common = commonly('sse', opening);
    if (common !== undefined) return [common];
    if (opening.kind === 'silent') {
      const what = opening.behind === 'request' ? 'Nothing of a stream' : 'Only the header of a stream';
      return [
        fault(
          `${what} has come within ${visit.options.waitMs / 1_000} seconds: something on the way gathers it before it passes it on.`,
          ...bufferingLines(visit),
          'Clients take polling meanwhile, where WebSockets do not open.',
        ),
      ];
    }
    if (opening.kind === 'refused' && wordsOf(opening.answer) === undefined) {
      return [strange(visit, opening.answer, 'A stream')];
    }
    const it = opening.kind === 'refused' ? described(opening.answer) : '';
    return [
      fault(
        `The request for a stream has come to the server as something else: ${it}`,
        'Its header "accept: text/event-stream" has to arrive as it is sent.',
      ),
    ];
  },
};
