import { describe, expect, it } from 'vitest';
import { audience, defaultPlan, type Plan } from '../contract/plan';
import { wsByHand } from '../subjects/ws';
import { Echo } from './echo';
import { Fanout } from './fanout';
import { Swarm } from './swarm';

const plan: Plan = { ...defaultPlan, connections: 12, rooms: 4 };

async function start() {
  const tally = { handled: 0 };
  const server = await wsByHand.start(plan, tally);
  const swarm = await Swarm.create({ dialect: 'raw', port: server.port, plan });
  await swarm.connect({ count: plan.connections });
  return { tally, server, swarm };
}

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setTimeout(resolve, 1));
}

describe('Swarm', () => {
  it('counts as many replies as the server handled', async () => {
    const { tally, swarm } = await start();
    const joins = tally.handled;
    expect(joins).toBe(plan.connections);
    swarm.start(new Echo(swarm.dialect, swarm.payload, 16));
    await until(() => swarm.tally.replies > 2_000);
    await swarm.stop();
    expect(swarm.tally.replies).toBe(tally.handled);
  });

  it('lets one member of a room speak and the others hear it', async () => {
    const { tally, swarm } = await start();
    const joins = tally.handled;
    swarm.start(new Fanout(swarm.dialect, swarm.payload, plan));
    await until(() => swarm.tally.deliveries > 500);
    await swarm.stop();
    expect(swarm.tally.deliveries).toBe((tally.handled - joins) * 2);
  });

  it('waits for exactly the deliveries of an emit', async () => {
    const { server, swarm } = await start();
    server.emit(['room-1', 'room-2'], 'hello');
    await swarm.until(audience(plan, ['room-1', 'room-2']), 30_000);
    server.emit(undefined, 'hello');
    await swarm.until(6 + 12, 30_000);
    await expect(swarm.until(19, 20)).rejects.toThrow('1 deliveries are missing');
    await expect(swarm.until(17, 20)).rejects.toThrow('1 deliveries more');
  });

  it('fails when a connection ends that nobody closed', async () => {
    const { swarm } = await start();
    swarm.peers[3]?.write(Buffer.from('this is no frame'));
    await until(() => swarm.peers[3]?.state === 'closed');
    expect(() => swarm.check()).toThrow('connection 3');
  });
});
