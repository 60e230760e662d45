import { expect, test } from 'vitest';
import { sharedPort } from './shared-port';

test.each(['22.12.0', '22.20.1', '23.1.0', '24.0.0', '25.2.0'])('Node %s is told', (version) => {
  for (const isWorker of [false, true]) expect(sharedPort(version, isWorker)).toEqual({ reusePort: true });
});

test.each(['20.19.0', '21.7.3', '22.11.0', '23.0.0'])(
  'Node %s cannot, and only its workers need not be told',
  (version) => {
    expect(sharedPort(version, true)).toEqual({});
    expect(() => sharedPort(version, false)).toThrow(expect.objectContaining({ code: 'ERR_REUSE_PORT' }));
  },
);
