// One subject's server and its load, in processes of their own, as a workload sees them.
import { Child } from '../base/child';
import type { EmitOrder, LoadMark, LoadOperations, ServerMark, ServerOperations } from '../contract/operations';
import type { Plan } from '../contract/plan';
import type { Subject } from '../subjects/subject';
import { WarmUp } from './warm-up';

/** What a workload says of the testbeds it is measured on. */
export interface TestbedSetup {
  readonly plan: Plan;
  /** Whether a window may be cut into slices. Not where each needs new processes, and not where a window has a start that costs. */
  readonly sliced: boolean;
  /** Whether the workload opens the connections, not the testbed. */
  readonly connectsItself: boolean;
}

/** What happened between two looks at both sides. */
export interface Window {
  /** Of the server, user and system. */
  readonly cpuUs: number;
  readonly handled: number;
  readonly replies: number;
  readonly deliveries: number;
  readonly heartbeats: number;
  /** How much of its processor the load used for something, 0 to 1: near 1 it sets the pace, not the server. */
  readonly loadBusy: number;
  readonly wallMs: number;
}

interface Marks {
  readonly server: ServerMark;
  readonly load: LoadMark;
  readonly at: number;
}

const drainTimeoutMs = 20_000;

export class Testbed {
  readonly server: Child<ServerOperations>;
  readonly load: Child<LoadOperations>;
  readonly setup: TestbedSetup;
  readonly subject: Subject;
  readonly #warmUp: WarmUp;
  #connected = 0;

  private constructor(setup: TestbedSetup, subject: Subject) {
    this.setup = setup;
    this.subject = subject;
    this.#warmUp = new WarmUp(setup.sliced);
    this.server = new Child('./serve.js', subject.name);
    this.load = new Child('./load.js', 'load');
  }

  /** @throws if a process does not start or a connection does not open; nothing is left running */
  static async open(setup: TestbedSetup, subject: Subject): Promise<Testbed> {
    const { plan } = setup;
    const overHttp = plan.sse ? subject.sseDialect : subject.pollingDialect;
    const dialect = plan.sse || plan.polling ? overHttp : subject.dialect;
    if (dialect === undefined) throw new Error('this transport is not measured for this subject');
    const testbed = new Testbed(setup, subject);
    try {
      const { port } = await testbed.server.call('start', { subject: subject.name, plan });
      await testbed.load.call('prepare', { dialect, port, plan });
      if (!setup.connectsItself) await testbed.connect(plan.connections);
      return testbed;
    } catch (error) {
      testbed.close();
      throw error;
    }
  }

  /** Opens so many connections more. @returns how long it took, in milliseconds */
  async connect(count: number): Promise<number> {
    const tookMs = await this.load.call('connect', { count });
    this.#connected += count;
    return tookMs;
  }

  /** Connections that were opened. */
  get connected(): number {
    return this.#connected;
  }

  /** How long to do something before it is measured. @param firstMs the first time, when nothing may be compiled yet */
  warmUpMs(firstMs?: number): number {
    return this.#warmUp.ms(firstMs);
  }

  /** Looks at both sides before and after. */
  async window(during: () => Promise<unknown>): Promise<Window> {
    const before = await this.#marks();
    await during();
    const after = await this.#marks();
    const grown = (field: 'replies' | 'deliveries' | 'heartbeats' | 'cpuUs') => after.load[field] - before.load[field];
    const wallMs = after.at - before.at;
    return {
      cpuUs: after.server.cpuUs - before.server.cpuUs,
      handled: after.server.handled - before.server.handled,
      replies: grown('replies'),
      deliveries: grown('deliveries'),
      heartbeats: grown('heartbeats'),
      loadBusy: grown('cpuUs') / (wallMs * 1_000),
      wallMs,
    };
  }

  /** Has the server emit, and waits until every delivery has arrived. @returns how many that were */
  async emit(order: EmitOrder, audiences: readonly number[]): Promise<number> {
    const { deliveries } = await this.load.call('mark', undefined);
    const emits = await this.server.call('emit', order);
    let expected = 0;
    for (let i = 0; i < emits; i++) expected += audiences[i % audiences.length]!;
    await this.load.call('until', { deliveries: deliveries + expected, timeoutMs: drainTimeoutMs });
    return expected;
  }

  close(): void {
    this.load.end();
    this.server.end();
  }

  async #marks(): Promise<Marks> {
    const [server, load] = await Promise.all([this.server.call('mark', undefined), this.load.call('mark', undefined)]);
    return { server, load, at: performance.now() };
  }
}
