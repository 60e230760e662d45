// Connect rate: sessions open and close in good form, 32 at a time.
import { mainSubjects, perUnit, served } from './served';

const concurrency = 32;

export const connectRate = served({
  name: 'connect-rate',
  title: `sessions opened and closed, ${concurrency} at a time`,
  unit: 'µs CPU per session',
  subjects: mainSubjects,
  connectsItself: true,
  async measure(testbed, windowMs) {
    await testbed.load.call('churn', { concurrency, forMs: testbed.warmUpMs() });
    let opened = 0;
    const window = await testbed.window(async () => {
      opened = await testbed.load.call('churn', { concurrency, forMs: windowMs });
    });
    return perUnit(window, opened);
  },
});
