// Event with ack over HTTP long polling: 100 clients with one keep-alive connection to poll and one to post.
import { sleep } from '../base/child';
import { perUnit, served } from './served';

export const polling = served({
  name: 'polling',
  title: 'event + ack over polling, 1 in flight',
  subjects: ['socketio-ws', 'socketio-uws', 'halyard-uws-json', 'halyard-node-json'],
  plan: { connections: 100, polling: true },
  async measure(stage, windowMs) {
    await stage.load.call('echo', { inFlight: 1 });
    await sleep(stage.warmUpMs());
    const window = await stage.window(() => sleep(windowMs));
    await stage.load.call('stop', undefined);
    return perUnit(window, window.handled);
  },
});
