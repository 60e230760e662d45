// Worlds that end with their test, and a server that adds and remembers. For tests of this package.
import type { Server } from '@halyard/server';
import { afterEach } from 'vitest';
import { type SimulateOptions, simulate, type World } from '../src/index';

const worlds: World[] = [];

afterEach(async () => {
  for (const world of worlds.splice(0)) await world.close();
});

export function newWorld(options?: SimulateOptions): World {
  const world = simulate(options);
  worlds.push(world);
  return world;
}

/** Answers sums. @returns what it was told, and what became of its sockets */
export function adds(io: Server): { readonly heard: unknown[]; readonly life: string[] } {
  const heard: unknown[] = [];
  const life: string[] = [];
  io.on('connection', (socket) => {
    life.push(socket.recovered ? 'recovered' : 'connection');
    socket.join('all');
    socket.on('add', (a: number, b: number) => a + b);
    socket.on('say', (text: string) => {
      heard.push(text);
    });
    for (const event of ['away', 'resume', 'disconnect'] as const) socket.on(event, () => void life.push(event));
  });
  return { heard, life };
}
