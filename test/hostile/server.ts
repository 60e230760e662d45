// The server of the long run, in a process of its own, so that its memory can be told.
import { hosts } from '../kit/hosts';
import { attacked } from './app';
import { answering, type Memory } from './processes';

const sampledMs = 10;
const newsMs = 10;

async function main(host: string | undefined): Promise<void> {
  const factory = hosts.find(([name]) => name === host)?.[1];
  if (factory === undefined) throw new Error(`there is no host ${host} here`);
  let errors: string[] = [];
  const { io, close } = await attacked(factory(), newsMs, (error) => errors.push(error));
  let peak = 0;
  const timer = setInterval(() => {
    peak = Math.max(peak, process.memoryUsage.rss());
  }, sampledMs);
  const memory = async (): Promise<Memory> => {
    for (let i = 0; i < 2; i++) {
      globalThis.gc?.();
      await new Promise((resolve) => setImmediate(resolve));
    }
    const { heapUsed, external } = process.memoryUsage();
    const told = { heap: heapUsed, external, peak, sockets: io.sockets.size, errors };
    peak = 0;
    errors = [];
    return told;
  };
  answering(io.port, memory, async () => {
    clearInterval(timer);
    await close();
  });
}

await main(process.argv[2]);
