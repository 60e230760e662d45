// The hostile suite on one host: all cases against one server, some at once, with honest clients beside them over each transport. What
// they notice is measured by `npm run test:hostile`; here nothing may be lost, doubled or disconnected.
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { hosts } from '../kit/hosts';
import { type Attacked, attacked } from './app';
import type { HostName } from './attacker';
import { hasSeen } from './case';
import { playsOf, surfaces } from './cases';
import { HonestClients } from './honest';
import { playAll } from './play';

const everyMs = 20;

export function hostileSuite(host: HostName): void {
  const factory = hosts.find(([name]) => name === host)?.[1];
  describe.skipIf(factory === undefined)(`attacks on ${host}`, () => {
    const errors: string[] = [];
    let server: Attacked;
    let honest: HonestClients;
    let seen: ReadonlyMap<string, string> = new Map();

    beforeAll(async () => {
      server = await attacked(factory!(), everyMs, (error) => errors.push(error));
      honest = await HonestClients.begin(server.io.port, everyMs);
      seen = await playAll(surfaces.flatMap(playsOf), server.io.port, host);
    });

    afterAll(async () => {
      honest.leave();
      await server.close();
    });

    for (const surface of surfaces) {
      describe(surface.name, () => {
        test.for(playsOf(surface).map((play) => [play.name, play.case] as const))('%s', ([name, { sees }]) => {
          const what = seen.get(name) ?? 'it was not played';
          expect(hasSeen(host, sees, what), `${what} was seen, not ${JSON.stringify(sees)}`).toBe(true);
        });
      });
    }

    test('honest clients notice nothing', async () => {
      await honest.settled();
      expect(honest.takeFaults().join('\n')).toBe('');
      expect(honest.takeTrips().length).toBeGreaterThan(100);
    });

    test('nothing of the attackers is left, and the app was told of nothing', async () => {
      await expect.poll(() => server.io.sockets.size).toBe(3);
      expect(errors.join('\n')).toBe('');
    });
  });
}
