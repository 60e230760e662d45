// Latency at a fixed offered rate, from when each event was due. The value is p99; p50 and p99.9 are in the details.
import { sleep } from '../base/sleep';
import { mainSubjects, served } from './served';

const ratePerS = 10_000;

export const latency = served({
  name: 'latency',
  title: `event + ack at ${ratePerS} per second over 200 connections, p99`,
  unit: 'µs',
  subjects: mainSubjects,
  sliced: false,
  async measure(testbed, windowMs) {
    await testbed.load.call('rate', { ratePerS });
    await sleep(testbed.warmUpMs());
    await testbed.load.call('resetLatencies', undefined);
    const window = await testbed.window(() => sleep(windowMs));
    await testbed.load.call('stop', undefined);
    const { p50Us, p99Us, p999Us, replies } = await testbed.load.call('latencies', undefined);
    if (replies === 0) throw new Error('nothing was answered');
    return {
      value: p99Us,
      details: { p50Us, p999Us, cpuUsPerMessage: window.cpuUs / window.handled, loadBusy: window.loadBusy },
    };
  },
});
