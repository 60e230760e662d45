// Whether polling opens, and its requests come to the server that has the connection.
import { pollingLimitHeaders } from '@halyard/protocol';
import { type Check, fault } from '../check';
import { commonly, echoed } from '../echo';
import { described, strange, wordsOf } from '../refusal';

export const polling: Check = {
  name: 'polling',
  about: 'polling opens, and all of its requests come to whoever has the connection',
  needs: 'server',
  async run(visit) {
    const opening = await visit.open('polling');
    if (opening.kind === 'open') {
      visit.bodyBytesMax = Number(opening.headers[pollingLimitHeaders.httpBodyBytesMax]) || undefined;
      return [await echoed(visit, opening)];
    }
    const common = commonly('polling', opening);
    if (common !== undefined) return [common];
    if (opening.kind === 'refused') {
      const { answer } = opening;
      if (wordsOf(answer) === undefined) return [strange(visit, answer, 'POST')];
      return [fault(`The request that opens polling has come to the server as something else: ${described(answer)}`)];
    }
    return [fault(`A POST has no answer within ${visit.options.waitMs / 1_000} seconds, and other requests have.`)];
  },
};
