// Resume: 1,000 sessions are cut off, miss ten messages, come back at once and get them.
import { sleep } from '../base/sleep';
import { perUnit, served } from './served';

const sessions = 1_000;
const missed = 10;
/** Time for the server to see that the connections are gone. */
const noticeMs = 250;

export const resume = served({
  name: 'resume',
  title: `${sessions} sessions resume at once, each with ${missed} missed messages`,
  unit: 'µs CPU per session',
  subjects: ['socketio-recovery', 'halyard-uws-json', 'halyard-uws-msgpack', 'halyard-node-json'],
  plan: { connections: sessions },
  sliced: false,
  async measure(testbed) {
    await testbed.load.call('remember', undefined);
    await testbed.emit({ targets: [undefined], perTick: 2, intervalMs: 0, forMs: 0 }, [sessions]);
    await testbed.load.call('cut', undefined);
    await sleep(noticeMs);
    await testbed.server.call('emit', { targets: [undefined], perTick: missed, intervalMs: 0, forMs: 0 });
    let tookMs = 0;
    const window = await testbed.window(async () => {
      tookMs = await testbed.load.call('resume', { missed });
    });
    const sample = perUnit(window, sessions);
    return { ...sample, details: { ...sample.details, tookMs } };
  },
});
