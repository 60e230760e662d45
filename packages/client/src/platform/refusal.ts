// What a refusal over HTTP becomes (docs/PROTOCOL.md §11): the same over every transport that is shown it.
import type { Close } from '@halyard/protocol';

/**
 * @param after the header `retry-after`, if it is there; one that is a date is not heeded
 * @returns by `server` if it is in a Halyard server's words, otherwise by `network`
 */
export function refusalOf(status: number, body: string, after: string | null | undefined): Close {
  let code = 1006;
  // A browser does not show a redirect that it does not follow.
  let words = `no Halyard server, but one that answers ${status || 'with a redirect'}`;
  let by: Close['by'] = 'network';
  // Another one has no words for it: its page may be about anything.
  try {
    const { code: name, message } = JSON.parse(body);
    if (status > 299 && typeof name === 'string') {
      words = `${name}: ${message}`;
      by = 'server';
      // Who is turned away for what it is stays away. Another transport may be on.
      if (status < 405 && !name.startsWith('ERR_TRANSPORT')) code = 4000 + status;
    }
  } catch {}
  return {
    code: status === 413 ? 1009 : code,
    reason: words + (after && +after >= 0 ? `; retry-after: ${after}` : ''),
    by,
  };
}
