// `npm run chaos`: plays rounds of every combination in turn for a time, prints the table, and fails on any fault.
import { parseArgs } from 'node:util';
import { type Random, seededRandom, testSeed } from '@halyard/harness/random';
import { wholeNumber } from '../kit/whole-number';
import { type Combination, combinationsOf, drawLimits } from './combinations';
import { failuresOf, type Row, table } from './report';
import { type Counts, type Outcome, playRound } from './round';

const usage = `npm run chaos -- [options]

  --seconds N   how long faults and traffic last, in all (default 300)
  --cuts N      instead: until each combination has had so many, and 200 deliveries for each
  --seed S      replays the script of a run: what is said and broken, with which limits; not its timing
  --only A,B    hosts (uws, node), transports (websocket, sse, polling, and switch: from one to another) and codecs (json, msgpack, protobuf)
  --help        this
`;

/** So that each combination meets several limits. */
const roundSeconds = 6;
const roundsMin = 2;

const deliveriesPerCut = 200;

interface Arguments {
  readonly seconds: number;
  /** Undefined: it is time that counts. */
  readonly cuts: number | undefined;
  readonly seed: number;
  readonly combinations: readonly Combination[];
}

/** @returns undefined if only the usage was asked for */
function readArguments(): Arguments | undefined {
  const { values } = parseArgs({
    options: {
      seconds: { type: 'string', default: '300' },
      cuts: { type: 'string' },
      seed: { type: 'string', default: String(testSeed()) },
      only: { type: 'string', default: '' },
      help: { type: 'boolean', short: 'h', default: false },
    },
  });
  if (values.help) return undefined;
  const only = values.only.split(',').filter((word) => word !== '');
  return {
    seconds: wholeNumber('--seconds', values.seconds, 1, 86_400),
    cuts: values.cuts === undefined ? undefined : wholeNumber('--cuts', values.cuts, 1, 1_000_000),
    seed: wholeNumber('--seed', values.seed, 0, 2 ** 32 - 1),
    combinations: combinationsOf(only),
  };
}

/** @param share of the whole time */
async function play(
  combination: Combination,
  random: Random,
  { seconds, cuts }: Arguments,
  share: number,
): Promise<Row> {
  const outcomes: Outcome[] = [];
  const rounds = Math.max(roundsMin, Math.round((seconds * share) / roundSeconds));
  const isEnough = (counts: Counts): boolean => {
    if (cuts === undefined) return counts.seconds >= (seconds * share) / rounds;
    return counts.cuts >= cuts / roundsMin && counts.deliveries >= (cuts / roundsMin) * deliveriesPerCut;
  };
  for (let round = 0; round < (cuts === undefined ? rounds : roundsMin); round++) {
    const limits = drawLimits(random, round);
    const clients = 4 + random.int(5);
    const outcome = await playRound({ combination, limits, clients, seed: random.int(2 ** 31), isEnough });
    outcomes.push(outcome);
    console.error(
      `${combination.name}, round ${round + 1}: ${outcome.cuts} cuts, ${outcome.deliveries} deliveries, ${outcome.faults.length} faults`,
    );
  }
  return { name: combination.name, outcomes };
}

async function main(args: Arguments): Promise<void> {
  const { seed, combinations } = args;
  console.log(`seed ${seed}`);
  const random = seededRandom(seed);
  const rows: Row[] = [];
  for (const combination of combinations) rows.push(await play(combination, random, args, 1 / combinations.length));
  console.log(table(rows));
  const failures = rows.flatMap(failuresOf);
  for (const failure of failures) console.log(`\n${failure}`);
  console.log(failures.length === 0 ? '\nno faults' : `\nfailed; --seed ${seed} has the same script`);
  process.exitCode = failures.length === 0 ? 0 : 1;
}

let args: Arguments | undefined;
try {
  args = readArguments();
  if (args === undefined) console.log(usage);
} catch (error) {
  console.error(`${error instanceof Error ? error.message : String(error)}\n\n${usage}`);
  process.exitCode = 1;
}
if (args !== undefined) await main(args);
