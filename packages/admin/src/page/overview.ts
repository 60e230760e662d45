// What all servers report, put together and shown.
import type { Few, Report, RoomRow } from '../base/said';
import { type Cell, fill, fillTerms, say } from './html';
import { bytes, count, duration, milliseconds, rest } from './words';

/** Of a server that has reported nothing for so long nothing is known any more, in milliseconds. */
const silentMs = 5_000;
const roomsShown = 25;

export class Overview {
  readonly #reports = new Map<string, { readonly report: Report; readonly at: number }>();
  readonly #look: (session: string) => void;
  readonly #problemsGrew: () => void;
  #nodes: readonly string[] = [];
  #problems = -1;
  /** Whether rooms are those that were searched for. */
  isSearchingRooms = false;

  /** @param look into a session. @param problemsGrew something went wrong */
  constructor(look: (session: string) => void, problemsGrew: () => void) {
    this.#look = look;
    this.#problemsGrew = problemsGrew;
  }

  /** @param nodes all servers, as the one that reports knows them */
  take(report: Report, nodes: readonly string[]): void {
    this.#reports.set(report.node, { report, at: performance.now() });
    this.#nodes = nodes;
    for (const node of this.#reports.keys()) if (!nodes.includes(node)) this.#reports.delete(node);
    this.show();
  }

  show(): void {
    const now = performance.now();
    const reports = this.#nodes.flatMap((node) => this.#reports.get(node)?.report ?? []);
    const isSilent = (node: string): boolean => now - (this.#reports.get(node)?.at ?? 0) > silentMs;
    const silent = this.#nodes.filter(isSilent);
    say('silent', silent.length === 0 ? '' : `${silentText(silent)} What is shown of it may be old, or is missing.`);
    this.#totals(reports);
    fill('nodes', [
      ...reports.map((report) => nodeRow(report, silent.includes(report.node))),
      ...silent
        .filter((node) => !this.#reports.has(node))
        .map((node) => ({ key: node, cells: [node, { text: 'silent', kind: 'bad' } as const] })),
    ]);
    this.#namespaces(reports);
    if (!this.isSearchingRooms) showRooms(reports.map(({ rooms }) => rooms));
    this.#readers(reports);
    const problems = reports.reduce((sum, report) => sum + report.problems, 0);
    if (problems !== this.#problems) {
      this.#problems = problems;
      this.#problemsGrew();
    }
  }

  #totals(reports: readonly Report[]): void {
    const sum = (of: (report: Report) => number): number => reports.reduce((all, report) => all + of(report), 0);
    fillTerms('totals', [
      ['Servers', count(this.#nodes.length)],
      ['Sessions', count(sum(({ sessions }) => sessions.live + sessions.catchingUp + sessions.away))],
      ['of which away', count(sum(({ sessions }) => sessions.away))],
      ['Connections', count(sum(({ connections }) => connections))],
      ['Sockets', count(sum(({ sockets }) => sockets))],
      ['Opened per second', count(sum(({ perSecond }) => perSecond.opened))],
      ['Packets in per second', count(sum(({ perSecond }) => perSecond.packetsIn))],
      ['Packets out per second', count(sum(({ perSecond }) => perSecond.packetsOut))],
      ['In per second', bytes(sum(({ perSecond }) => perSecond.bytesIn))],
      ['Out per second', bytes(sum(({ perSecond }) => perSecond.bytesOut))],
      ['Refused', count(sum(({ counts }) => counts.refused))],
      ['Failed events', count(sum(({ counts }) => counts.failedEvents))],
      ['Errors', count(sum(({ counts }) => counts.errors))],
      ['Warnings', count(sum(({ counts }) => counts.warnings))],
    ]);
    fillTerms('slow', [
      ['Volatile messages dropped', count(sum(({ counts }) => counts.dropped))],
      ['Messages replaced by newer ones', count(sum(({ counts }) => counts.replaced))],
      ['Connections cut', count(sum(({ counts }) => counts.cut))],
      ['Sessions that caught up', count(sum(({ counts }) => counts.caughtUp))],
    ]);
  }

  #namespaces(reports: readonly Report[]): void {
    const byName = new Map<string, { sockets: number; rooms: number }>();
    for (const { name, sockets, rooms } of reports.flatMap(({ namespaces }) => namespaces.rows)) {
      const before = byName.get(name) ?? { sockets: 0, rooms: 0 };
      // A room is there on each server that has members of it.
      byName.set(name, { sockets: before.sockets + sockets, rooms: Math.max(before.rooms, rooms) });
    }
    const rows = [...byName].sort(([, a], [, b]) => b.sockets - a.sockets);
    fill(
      'namespaces',
      rows.map(([name, { sockets, rooms }]) => ({
        key: name,
        cells: [name, number(count(sockets)), number(count(rooms))],
      })),
    );
    say('namespaces-rest', restOf(reports.map(({ namespaces }) => namespaces)));
  }

  #readers(reports: readonly Report[]): void {
    const rows = reports.flatMap(({ node, readers }) => readers.rows.map((session) => ({ node, session })));
    rows.sort((a, b) => b.session.bufferedBytes - a.session.bufferedBytes);
    fill(
      'readers',
      rows.map(({ node, session: { id, description, address, bufferedBytes } }) => ({
        key: id,
        cells: [{ text: id, press: () => this.#look(id) }, description, address, number(bytes(bufferedBytes)), node],
      })),
    );
    say('readers-rest', rows.length === 0 ? 'Everybody keeps up.' : restOf(reports.map(({ readers }) => readers)));
  }
}

/** @param lists of each server */
export function showRooms(lists: readonly Few<RoomRow>[], shown = roomsShown): void {
  const byKey = new Map<string, RoomRow>();
  for (const { namespace, room, members } of lists.flatMap(({ rows }) => rows)) {
    const key = JSON.stringify([namespace, room]);
    byKey.set(key, { namespace, room, members: members + (byKey.get(key)?.members ?? 0) });
  }
  const all = [...byKey].sort(([, a], [, b]) => b.members - a.members);
  fill(
    'rooms',
    all.slice(0, shown).map(([key, { room, namespace, members }]) => ({
      key,
      cells: [room, namespace, number(count(members))],
    })),
  );
  const others = Math.max(0, all.length - shown) + lists.reduce((sum, list) => sum + list.others, 0);
  const isPartial = lists.some((list) => list.isPartial);
  say('rooms-rest', all.length === 0 ? 'There are none.' : rest(others, isPartial));
}

export function restOf(lists: readonly Few<unknown>[]): string {
  const others = lists.reduce((sum, list) => sum + list.others, 0);
  return rest(
    others,
    lists.some(({ isPartial }) => isPartial),
  );
}

/** @returns which servers do not answer */
export function silentText(nodes: readonly string[]): string {
  return nodes.length === 1
    ? `1 server does not answer: ${nodes[0]}.`
    : `${nodes.length} servers do not answer: ${nodes.join(', ')}.`;
}

export function number(text: string): Cell {
  return { text, kind: 'number' };
}

function nodeRow(report: Report, isSilent: boolean): { key: string; cells: (Cell | string)[] } {
  const { node, host, pid, upSeconds, sessions, connections, perSecond, loopDelayMs, rssBytes, heapBytes } = report;
  return {
    key: node,
    cells: [
      `${node} (${host}, ${pid})`,
      stateOf(report, isSilent),
      duration(upSeconds),
      number(count(sessions.live + sessions.catchingUp)),
      number(count(sessions.away)),
      number(count(connections)),
      number(`${count(perSecond.packetsIn)} / ${count(perSecond.packetsOut)} per s`),
      number(`${bytes(perSecond.bytesIn)} / ${bytes(perSecond.bytesOut)} per s`),
      number(`${milliseconds(loopDelayMs.mean)}, ${milliseconds(loopDelayMs.p99)}`),
      number(`${bytes(rssBytes)}, heap ${bytes(heapBytes)}`),
    ],
  };
}

function stateOf({ isReady, isDraining, reasons, store }: Report, isSilent: boolean): Cell {
  if (isSilent) return { text: 'silent', kind: 'bad' };
  if (isReady) return { text: store === '' ? 'ready' : `ready, store ${store}`, kind: 'good' };
  return { text: `${isDraining ? 'draining' : 'not ready'}: ${reasons.join(' ')}`, kind: 'bad' };
}
