// Some of the clients of a run, in a process of their own that nobody kills. What they have seen goes to a file.
import { setTimeout as delay } from 'node:timers/promises';
import { type Random, seededRandom } from '@halyard/harness/random';
import { Person } from './person';
import type { ClientsData, ClientsOrder, ClientsReport } from './plan';
import { type ClientRecord, Pad } from './records';

const reportMs = 50;
/** So many connect for the first time at one time: they are not what is tested. */
const openingMax = 20;

async function talk(people: readonly Person[], random: Random, everyMs: number, stopped: () => boolean): Promise<void> {
  const pauseMs = (2 * everyMs) / people.length;
  while (!stopped()) {
    await delay(random.next() * pauseMs);
    random.pick(people).talk(people);
  }
}

async function openAll(people: readonly Person[]): Promise<void> {
  for (const [i, person] of people.entries()) {
    person.open();
    while (i >= openingMax && people.slice(0, i).filter(({ connected }) => !connected).length >= openingMax)
      await delay(5);
  }
}

async function main({ port, file, seed, from, to, sayMs }: ClientsData): Promise<void> {
  const pad = new Pad<ClientRecord>(file);
  const random = seededRandom(seed);
  const people: Person[] = [];
  for (let number = from; number < to; number++) {
    people.push(new Person(number, port, seededRandom(seed + number), pad.write));
  }
  let state: 'opening' | 'talking' | 'stopped' | 'exiting' = 'opening';
  process.on('disconnect', () => process.exit(1));
  process.on('message', (order: ClientsOrder) => {
    if (typeof order === 'object') for (const person of people) void person.probe(order.probe, order.at);
    else if (order === 'begin') {
      state = 'talking';
      void talk(people, random, sayMs, () => state !== 'talking');
    } else if (order === 'close') for (const person of people) person.close();
    else state = order === 'stop' ? 'stopped' : 'exiting';
  });
  const told = (unsettled: number): ClientsReport['state'] => {
    if (state === 'opening') return people.every((person) => person.connected) ? 'ready' : 'opening';
    if (state === 'talking' || unsettled > 0) return 'talking';
    return people.every((person) => person.isAtRest) ? 'rested' : 'settled';
  };
  void openAll(people);
  while ((state as string) !== 'exiting') {
    await delay(reportMs);
    const unsettled = people.reduce((sum, { waiting }) => sum + waiting, 0);
    const progress = people.reduce((sum, person) => sum + person.progress, 0);
    pad.flush();
    process.send?.({ state: told(unsettled), progress, unsettled } satisfies ClientsReport);
  }
  pad.flush();
  process.exit(0);
}

await main(JSON.parse(process.argv[2] ?? '') as ClientsData);
