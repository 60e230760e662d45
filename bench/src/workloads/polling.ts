// Event with ack over HTTP long polling: 100 clients with one keep-alive connection to poll and one to post.
import { sleep } from '../base/sleep';
import { perUnit, served } from './served';

export const polling = served({
  name: 'polling',
  title: 'event + ack over polling, 1 in flight',
  subjects: ['socketio-ws', 'socketio-uws', 'halyard-uws-json', 'halyard-node-json'],
  plan: { connections: 100, polling: true },
  async measure(testbed, windowMs) {
    await testbed.load.call('echo', { inFlight: 1 });
    await sleep(testbed.warmUpMs());
    const window = await testbed.window(() => sleep(windowMs));
    await testbed.load.call('stop', undefined);
    return perUnit(window, window.handled);
  },
});
