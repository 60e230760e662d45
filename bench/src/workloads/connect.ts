// Connect rate: sessions open and close in good form, 32 at a time.
import { mainSubjects, perUnit, served } from './served';

const concurrency = 32;

export const connectRate = served({
  name: 'connect-rate',
  title: `sessions opened and closed, ${concurrency} at a time`,
  unit: 'µs CPU per session',
  subjects: mainSubjects,
  connectsItself: true,
  async measure(stage, windowMs) {
    await stage.load.call('churn', { concurrency, forMs: stage.warmUpMs() });
    let opened = 0;
    const window = await stage.window(async () => {
      opened = await stage.load.call('churn', { concurrency, forMs: windowMs });
    });
    return perUnit(window, opened);
  },
});
