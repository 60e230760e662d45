// The load's process: opens its share of the connections and follows the pattern it is told.
import { answerRequests } from './base/child';
import type { LoadOperations } from './contract/operations';
import { churn } from './load/churn';
import { Echo } from './load/echo';
import { Fanout } from './load/fanout';
import { type Lane, type LaneKind, lanesOf } from './load/lanes';
import { FixedRate } from './load/latency';
import { PollingSwarm } from './load/polling';
import { Relay } from './load/relay';
import { cut, lost, remember, resume } from './load/resume';
import { Swarm } from './load/swarm';

let websockets: Swarm | undefined;
let pollers: PollingSwarm | undefined;
let fixedRate: FixedRate | undefined;

function swarm(): Swarm {
  if (websockets === undefined) throw new Error('this needs WebSocket connections');
  return websockets;
}

function lanes(kind: LaneKind): Lane[] {
  const { dialect, payload, peers, options } = swarm();
  return lanesOf(kind, { dialect, payload, peers, plan: options.plan });
}

function startAt(ratePerS: number, kind: LaneKind): void {
  fixedRate = new FixedRate(lanes(kind), ratePerS);
  swarm().start(fixedRate);
}

answerRequests<LoadOperations>({
  async prepare(options) {
    if (options.plan.polling || options.plan.sse) pollers = new PollingSwarm(options);
    else websockets = await Swarm.create(options);
  },
  connect: (order) => (pollers === undefined ? swarm().connect(order) : pollers.connect(order.count)),
  echo({ inFlight }) {
    if (pollers !== undefined) pollers.start();
    else swarm().start(new Echo(swarm().dialect, swarm().payload, inFlight));
  },
  fanout: () => swarm().start(new Fanout(swarm().dialect, swarm().payload, swarm().options.plan)),
  stop: () => (pollers ?? swarm()).stop(),
  mark() {
    const source = pollers ?? swarm();
    source.check();
    const { user, system } = process.cpuUsage();
    return { ...source.tally, cpuUs: user + system - (websockets?.idleMs ?? 0) * 1_000 };
  },
  until: ({ deliveries, timeoutMs }) => swarm().until(deliveries, timeoutMs),
  rate({ ratePerS }) {
    startAt(ratePerS, 'echo');
  },
  relay(order) {
    if ('ratePerS' in order) startAt(order.ratePerS, 'relay');
    else swarm().start(new Relay(lanes('relay'), order.inFlight));
  },
  resetLatencies: () => fixedRate?.reset(),
  latencies() {
    if (fixedRate === undefined) throw new Error('nothing was sent');
    return fixedRate.results();
  },
  churn: ({ concurrency, forMs }) => churn(swarm(), concurrency, forMs),
  remember: () => remember(swarm()),
  cut: () => cut(swarm()),
  expectLoss: () => swarm().expectLoss(),
  lost: ({ timeoutMs }) => lost(swarm(), timeoutMs),
  resume: ({ missed, port }) => resume(swarm(), missed, port),
});
