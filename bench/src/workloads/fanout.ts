// Fan-out: 1,000 sockets over 100 rooms. A member speaks, and the nine others of its room hear it.
import { sleep } from '../base/sleep';
import { everySubject, perUnit, served } from './served';
import type { Sample } from './workload';

const rooms = 100;
const connections = 1_000;
const listeners = connections / rooms - 1;

export const fanout = served({
  name: 'except-fanout',
  title: 'room fan-out without the sender, 1,000 sockets over 100 rooms',
  unit: 'µs CPU per delivery',
  subjects: everySubject,
  plan: { connections, rooms },
  async measure(testbed, windowMs) {
    let sample: Sample | undefined;
    const { handled, deliveries } = await testbed.window(async () => {
      await testbed.load.call('fanout', undefined);
      await sleep(testbed.warmUpMs());
      const window = await testbed.window(() => sleep(windowMs));
      sample = perUnit(window, window.deliveries);
      await testbed.load.call('stop', undefined);
    });
    const due = handled * listeners;
    if (sample === undefined || deliveries !== due)
      throw new Error(`${deliveries} deliveries arrived where ${due} were due`);
    return sample;
  },
});
