// A server says something to one socket again and again, while that is at another server and comes to it: what it has said before that
// comes before what it says then.
import { connect } from '@halyard/client';
import { Cable } from '@halyard/harness/cable';
import { describe, expect, test } from 'vitest';
import { served } from '../kit/served';
import { places } from '../kit/stores';
import { untilHolds } from '../kit/until';

describe.each(places)('on %s', (_name, host, useStore) => {
  const newStore = useStore();
  const { cleanUp, serve } = served(host);

  test('in order, and each once, however often it moves', async () => {
    const adapter = newStore();
    const servers = [await serve({ adapter }), await serve({ adapter })] as const;
    const cable = await Cable.open(servers[0].port as number);
    cleanUp.push(() => cable.close());
    const socket = connect(cable.url, { transports: ['websocket'], reconnect: { delayMinMs: 1, delayMaxMs: 5 } });
    cleanUp.push(() => socket.connection.close());
    const heard: number[] = [];
    socket.on('said', (number: number) => void heard.push(number));
    await new Promise((resolve) => socket.once('connect', resolve));
    const { id } = socket;
    let said = 0;
    const timer = setInterval(() => {
      for (let i = 0; i < 3; i++) servers[1].to(id as string).emit('said', said++);
    }, 1);
    cleanUp.push(() => clearInterval(timer));
    for (let move = 1; move <= 10; move++) {
      const back = new Promise<boolean>((resolve) => socket.once('connect', ({ recovered }) => resolve(recovered)));
      cable.targetPort = servers[move % 2]?.port as number;
      cable.cut();
      expect(await back).toBe(true);
      const { length } = heard;
      await untilHolds(() => heard.length > length + 20);
    }
    clearInterval(timer);
    await untilHolds(() => heard.length >= said);
    expect(heard).toEqual(Array.from({ length: said }, (_, number) => number));
  });
});
