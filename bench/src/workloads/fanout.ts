// Fan-out: 1,000 sockets over 100 rooms. A member speaks, and the nine others of its room hear it.
import { sleep } from '../child';
import { everySubject, perUnit, served } from './served';

export const fanout = served({
  name: 'except-fanout',
  title: 'room fan-out without the sender, 1,000 sockets over 100 rooms',
  unit: 'µs CPU per delivery',
  subjects: everySubject,
  plan: { connections: 1_000, rooms: 100 },
  async measure(stage, windowMs) {
    await stage.load.call('fanout', undefined);
    await sleep(stage.warmUpMs());
    const window = await stage.window(() => sleep(windowMs));
    await stage.load.call('stop', undefined);
    return perUnit(window, window.deliveries);
  },
});
