// Resume: 1,000 sessions are cut off, miss ten messages, come back at once and get them.
import { sleep } from '../base/child';
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
  async measure(stage) {
    await stage.load.call('remember', undefined);
    await stage.emit({ targets: [undefined], perTick: 2, intervalMs: 0, forMs: 0 }, [sessions]);
    await stage.load.call('cut', undefined);
    await sleep(noticeMs);
    await stage.server.call('emit', { targets: [undefined], perTick: missed, intervalMs: 0, forMs: 0 });
    let tookMs = 0;
    const window = await stage.window(async () => {
      tookMs = await stage.load.call('resume', { missed });
    });
    const sample = perUnit(window, sessions);
    return { ...sample, details: { ...sample.details, tookMs } };
  },
});
