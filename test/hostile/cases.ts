// All cases, by what they attack.
import type { Way } from './attacker';
import type { Case } from './case';
import { framing } from './cases/frames';
import { handshakes } from './cases/handshakes';
import { http } from './cases/http';
import { packets } from './cases/packets';
import { sessions } from './cases/sessions';
import { tcp } from './cases/tcp';
import { unread } from './cases/unread';

export interface Surface {
  readonly name: string;
  readonly cases: readonly Case[];
}

export const surfaces: readonly Surface[] = [
  { name: 'TCP and HTTP', cases: tcp },
  { name: 'handshakes', cases: handshakes },
  { name: 'frames', cases: framing },
  { name: 'packets', cases: packets },
  { name: 'sessions', cases: sessions },
  { name: 'polling and sse', cases: http },
  { name: 'nobody reads, nobody stays', cases: unread },
];

/** A case over one of its transports. */
export interface Play {
  readonly name: string;
  readonly case: Case;
  readonly way: Way;
}

export function playsOf({ cases }: Surface): Play[] {
  return cases.flatMap((one) => {
    const { name, over } = one;
    if (over === undefined) return [{ name, case: one, way: 'websocket' as const }];
    return over.map((way) => ({ name: `${name}, over ${way}`, case: one, way }));
  });
}
