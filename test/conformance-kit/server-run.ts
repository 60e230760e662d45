// Plays all cases that are about a server against the one at a URL, over each transport and in each codec that it has.
import type { Case } from './case';
import { ask } from './http';
import { Lateness } from './lateness';
import { codecNames, type Transport, writingOf } from './line';
import { type Outcome, outcomeOf, playAll } from './report';
import { msOf, ServerPlayer } from './server-player';
import { isFor, transportNames, type Ways, waysOf } from './ways';

export interface ServerRun extends Partial<Ways> {
  /** Of the server's path: http or https. */
  readonly url: string;
  /** How long a step waits, in milliseconds. */
  readonly withinMs: number;
  /** Cases that take longer are left out, in milliseconds. */
  readonly patienceMs: number;
  readonly tell: (outcome: Outcome) => void;
}

/** What a server turned out to have. */
interface Having extends Ways {
  readonly settings: readonly unknown[];
}

/** Sessions that are there at one time. */
const atATime = 16;

/** Whether the app is there that all cases speak to. */
const theApp: Case = {
  name: 'the-app-is-there',
  cites: ['§4'],
  needs: [],
  waits: [],
  steps: [
    { at: 'A', verb: 'begin', what: [['/']], more: {} },
    { at: 'A', verb: 'send', what: [2, '/', 'echo', ['here'], 1], more: {} },
    { at: 'A', verb: 'expect', what: [3, 1, ['here']], more: {} },
  ],
};

/** @throws Error if nothing there speaks the protocol, or has the app that the cases need */
export async function runAgainstServer(cases: readonly Case[], run: ServerRun): Promise<Outcome[]> {
  const having = await lookAt(run.url);
  const lateness = new Lateness();
  const jobs = waysOf(having, run).flatMap((way) => {
    const { transport, codec } = way;
    const how = `${transport} ${codec}`;
    const play = { url: run.url, transport, writing: writingOf(codec), withinMs: run.withinMs };
    return cases
      .filter((one) => isFor(one, way))
      .map((one) => async (): Promise<Outcome> => {
        const why = whyNot(one, having, run.patienceMs);
        if (why !== undefined) return { ...one, how, skipped: why };
        return outcomeOf(one, how, lateness, () => new ServerPlayer(play).play(one));
      });
  });
  try {
    return await playAll(jobs, atATime, run.tell);
  } finally {
    lateness.end();
  }
}

function whyNot({ needs, waits }: Case, { settings }: Having, patienceMs: number): string | undefined {
  if (needs.includes('resume') && msOf('recoveryWindowMs', settings) === 0) return 'the server keeps no sessions';
  const takesMs = waits.reduce<number>((sum, one) => sum + msOf(one, settings), 0);
  if (takesMs > patienceMs) return `it takes ${Math.ceil(takesMs / 1_000)} s: see --patience`;
  return undefined;
}

async function lookAt(url: string): Promise<Having> {
  const { status, body } = await ask(url, 'GET').answer;
  if (status !== 426 && status !== 400)
    throw new Error(`${url} answers ${status} where a handshake is missing: ${body}`);
  const { transports, codecs } = await offeredBy(url);
  const play = { url, transport: transports[0] as Transport, writing: writingOf('json'), withinMs: 10_000 };
  const settings = await new ServerPlayer(play).settings();
  try {
    await new ServerPlayer(play).play(theApp);
  } catch (error) {
    const advice =
      'The cases need the app that docs/CONFORMANCE.md describes under "A server"; -- --serve PORT shows one that has it';
    throw new Error(
      `${url} opens a session, and does not answer echo("here") by ["here"]: ${(error as Error).message}. ${advice}.`,
    );
  }
  return { transports, codecs, settings };
}

/** What is refused names what the server has. */
async function offeredBy(url: string): Promise<Pick<Having, 'transports' | 'codecs'>> {
  const none = 'halyard.v0+none';
  const handshake = {
    connection: 'Upgrade',
    upgrade: 'websocket',
    'sec-websocket-version': '13',
    'sec-websocket-key': 'AAAAAAAAAAAAAAAAAAAAAA==',
    'sec-websocket-protocol': none,
  };
  const refusals = await Promise.all([
    ask(url, 'GET', handshake).answer,
    ask(url, 'GET', { accept: 'text/event-stream', 'halyard-protocol': none }).answer,
    ask(url, 'POST', { 'halyard-protocol': none }).answer,
  ]);
  const supported = refusals.map(({ body }) => supportedBy(body.toString()));
  const transports = transportNames.filter((_transport, i) => supported[i] !== undefined);
  const codecs = codecNames.filter((name) => supported.some((list) => list?.includes(`halyard.v1+${name}`)));
  if (transports.length === 0 || !codecs.includes('json'))
    throw new Error(
      `${url} names no "supported" protocols, or no JSON, to who offers ${none} (§2): ${refusals[0]?.body}`,
    );
  return { transports, codecs };
}

function supportedBy(body: string): readonly string[] | undefined {
  try {
    return (JSON.parse(body) as { supported?: readonly string[] }).supported;
  } catch {
    return undefined;
  }
}
