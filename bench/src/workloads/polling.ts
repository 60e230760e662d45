// Event with ack over HTTP, by long polling and by server-sent events: 100 clients with one keep-alive connection to hear and one to post.
import { sleep } from '../base/sleep';
import type { Testbed } from '../testbed/testbed';
import { perUnit, served } from './served';
import type { Sample } from './workload';

const echo = async (testbed: Testbed, windowMs: number): Promise<Sample> => {
  await testbed.load.call('echo', { inFlight: 1 });
  await sleep(testbed.warmUpMs());
  const window = await testbed.window(() => sleep(windowMs));
  await testbed.load.call('stop', undefined);
  return perUnit(window, window.handled);
};

export const polling = served({
  name: 'polling',
  title: 'event + ack over polling, 1 in flight',
  subjects: ['socketio-ws', 'socketio-uws', 'halyard-uws-json', 'halyard-node-json'],
  plan: { connections: 100, polling: true },
  measure: echo,
});

export const sse = served({
  name: 'sse',
  title: 'event + ack over server-sent events, 1 in flight',
  subjects: ['halyard-uws-json', 'halyard-node-json'],
  plan: { connections: 100, sse: true },
  measure: echo,
});
