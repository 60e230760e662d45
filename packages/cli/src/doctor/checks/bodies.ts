// Whether what is on the way takes events as large as the server does.
import { pollingHeaders } from '@halyard/protocol';
import { noAnswerOf } from '../../probe/http';
import { nginx } from '../advice';
import { type Check, fault, note, ok } from '../check';
import { described, strange, wordsOf } from '../refusal';

/** More is not sent to find out. */
const bytesMost = 1 << 23;

export const bodies: Check = {
  name: 'bodies',
  about: 'a body as large as the largest event gets through (413)',
  needs: 'server',
  async run(visit) {
    const { settings, bodyBytesMax, transports } = visit;
    if (settings === undefined || !(transports.has('sse') || transports.has('polling'))) return [];
    const bytes = Math.min(settings.frameBytesMax, bodyBytesMax ?? settings.frameBytesMax, bytesMost);
    // For a connection that there is not: nothing handles it.
    const headers = {
      [pollingHeaders.connection]: 'halyard-doctor',
      [pollingHeaders.sequence]: '1',
      'content-type': 'text/plain',
    };
    try {
      const answer = await visit.ask({ method: 'POST', headers, body: '\n'.repeat(bytes) });
      if (wordsOf(answer) !== undefined && answer.status !== 413) {
        return [ok(`A body of ${bytes} bytes gets through, which is as large as an event may be.`)];
      }
      if (answer.status !== 413) return [strange(visit, answer, `A body of ${bytes} bytes`)];
      const megabytes = Math.ceil(Math.max(bytes, bodyBytesMax ?? 0) / (1 << 20));
      return [
        fault(
          `A body of ${bytes} bytes is answered ${described(answer)}, and the server takes events of that size: by sse and polling they would end the session.`,
          ...nginx(visit, `client_max_body_size ${megabytes}m;`),
          'Or the server takes no larger ones than what is on the way:  new Server({ frameBytesMax: … })',
        ),
      ];
    } catch (error) {
      const { message } = noAnswerOf(error);
      return [
        note(
          `What becomes of a body of ${bytes} bytes could not be seen: ${message}.`,
          'On a slow line it takes longer than the time that there is for an answer: --wait-ms.',
        ),
      ];
    }
  },
};
