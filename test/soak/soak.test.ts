// A short soak: some hundred clients come and go, and a server has as much as before. More, with Redis and with the heap, by `npm run soak`.
import { describe, expect, test } from 'vitest';
import type { HostName } from '../hostile/attacker';
import { hosts } from '../kit/hosts';
import { gaugesOf, visited } from './app';
import { come } from './crowd';
import { lasting } from './kept';

describe.each(hosts)('on %s', (name, host) => {
  test('300 clients that come and go leave nothing', async () => {
    const io = await visited({ host: host() });
    const before = lasting(gaugesOf(io));
    const { connects, resumes, failures } = await come(io.port, name as HostName, 300);
    expect(failures).toEqual([]);
    expect(connects).toBeGreaterThanOrEqual(300);
    expect(resumes).toBeGreaterThan(30);
    // Logs are kept for a while: the long one waits for that.
    const { halyard_log_entries: _entries, halyard_log_bytes: _bytes, ...all } = before;
    await expect.poll(() => lasting(gaugesOf(io)), { interval: 200 }).toMatchObject(all);
    await io.close();
  });
});
