// The honest clients of the long run, in a process of their own: what they measure is the server's, and not the attackers'.
import { HonestClients } from './honest';
import { answering, type Noticed } from './processes';

const everyMs = 5;

const clients = await HonestClients.begin(Number(process.argv[2]), everyMs);

answering<string, Noticed>(
  'begun',
  async () => {
    await clients.settled();
    const trips = clients.takeTrips();
    const at = (share: number): number => trips[Math.floor(trips.length * share)] ?? 0;
    return { trips: trips.length, p50: at(0.5), p99: at(0.99), faults: clients.takeFaults() };
  },
  async () => clients.leave(),
);
