// Idle connections: what each adds to its server's resident memory, and what its heartbeats cost.
import { readFile } from 'node:fs/promises';
import { sleep } from '../base/sleep';
import { Testbed } from '../testbed/testbed';
import { served } from './served';
import type { Sample } from './workload';

const connections = 9_000;
/** These make the process grow to its working size first, and are not counted. */
const warmUpConnections = 1_000;
/** Time for confirmations and late work to pass. */
const settleMs = 1_500;
const heartbeatMs = 8_000;

/** Bytes the kernel holds for objects such as sockets, where it tells. */
async function slabBytes(): Promise<number> {
  const text = await readFile('/proc/meminfo', 'utf8').catch(() => '');
  return Number(/^Slab:\s+(\d+) kB/m.exec(text)?.[1] ?? Number.NaN) * 1_024;
}

async function residentBytes(testbeds: readonly Testbed[]): Promise<number> {
  await sleep(settleMs);
  const marks = await Promise.all(testbeds.map((testbed) => testbed.server.call('collect', undefined)));
  // Nothing of the load must have failed.
  await Promise.all(testbeds.map((testbed) => testbed.load.call('mark', undefined)));
  return marks.reduce((total, { rssBytes }) => total + rssBytes, 0);
}

async function bytesPerConnection(testbeds: readonly Testbed[]): Promise<Sample> {
  await Promise.all(testbeds.map((testbed) => testbed.connect(warmUpConnections)));
  const before = await residentBytes(testbeds);
  const slabBefore = await slabBytes();
  const added = connections - warmUpConnections;
  await Promise.all(testbeds.map((testbed) => testbed.connect(added)));
  const after = await residentBytes(testbeds);
  const count = added * testbeds.length;
  // Both ends are on this machine, so half of what the kernel added is the server's.
  const kernelBytes = ((await slabBytes()) - slabBefore) / 2 / count;
  return { value: (after - before) / count, details: { kernelBytes } };
}

export const idleBytes = served({
  name: 'idle-bytes',
  title: `resident bytes per idle connection, ${connections} connections in one process`,
  unit: 'bytes per connection',
  subjects: [
    'bare-uws',
    'ws',
    'socketio-ws',
    'socketio-uws',
    'halyard-uws-json',
    'halyard-uws-msgpack',
    'halyard-uws-protobuf',
    'halyard-node-json',
  ],
  plan: { connections },
  fresh: true,
  connectsItself: true,
  measure: (testbed) => bytesPerConnection([testbed]),
});

export const idleHeartbeat = served({
  name: 'idle-heartbeat',
  title: `CPU of a heartbeat, ${connections} idle connections`,
  unit: 'µs CPU per heartbeat',
  subjects: ['bare-uws', 'ws', 'socketio-ws', 'socketio-uws', 'halyard-uws-json', 'halyard-node-json'],
  plan: { connections, heartbeatMs },
  fresh: true,
  async measure(testbed) {
    const window = await testbed.window(() => sleep(heartbeatMs * 2));
    if (window.heartbeats === 0) throw new Error('no heartbeat came');
    const value = window.cpuUs / window.heartbeats;
    return { value, details: { heartbeats: window.heartbeats } };
  },
});

const servers = 3;

export const idleProcesses = served({
  name: 'idle-processes',
  title: `resident bytes per idle connection, ${servers} processes of ${connections} connections, and their heartbeats`,
  unit: 'bytes per connection',
  subjects: ['bare-uws', 'halyard-uws-json'],
  plan: { connections, heartbeatMs },
  fresh: true,
  connectsItself: true,
  async measure(first) {
    const testbeds = [first];
    try {
      while (testbeds.length < servers) testbeds.push(await Testbed.open(first.setup, first.subject));
      const { value, details } = await bytesPerConnection(testbeds);
      const windows = await Promise.all(testbeds.map((testbed) => testbed.window(() => sleep(heartbeatMs * 2))));
      const sum = (field: 'cpuUs' | 'heartbeats') => windows.reduce((total, window) => total + window[field], 0);
      return { value, details: { ...details, cpuUsPerHeartbeat: sum('cpuUs') / sum('heartbeats') } };
    } finally {
      for (const testbed of testbeds.slice(1)) testbed.close();
    }
  },
});
