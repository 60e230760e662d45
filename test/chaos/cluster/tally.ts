// What a run came to, in numbers.
import type { FaultKind } from '../checker';
import { mostInASecond } from './judge';
import type { Outcome } from './play';
import { mail, own } from './records';

type Line = readonly [what: string, count: number | string];

/** @returns a table in Markdown */
export function table(outcome: Outcome): string {
  const lines = linesOf(outcome);
  return [['met', ''], ['---', '--:'], ...lines.map(([what, count]) => [what, count.toLocaleString('en')])]
    .map((cells) => `| ${cells.join(' | ')} |`)
    .join('\n');
}

const enoughStops = 5;

/** What any run meets; one that does not has tested nothing. */
export function unmet(outcome: Outcome): string[] {
  const isRolling = outcome.faultsMade.restarts > 0;
  const wanted = isRolling
    ? ['connections gone over', 'moved', 'messages of rooms that came']
    : ['servers killed', 'servers stopped', 'sessions resumed', 'messages of rooms that came'];
  // Whether anybody leaves a server that stands still depends on how soon they notice.
  if (outcome.faultsMade.stops >= enoughStops) wanted.push('moved', 'events handled again');
  return linesOf(outcome).flatMap(([what, count]) => (wanted.includes(what) && count === 0 ? [what] : []));
}

function linesOf({ books, faultsMade, faults, told, seconds }: Outcome): readonly Line[] {
  const clients = [...books.clients.values()];
  const events = [...books.handled.values()];
  const came = new Map<string, number>();
  for (const { stays } of clients) {
    for (const { got } of stays) {
      for (const [from, ids] of got) {
        const kind = from === own || from === mail ? from : 'room';
        came.set(kind, (came.get(kind) ?? 0) + ids.length);
      }
    }
  }
  const back = clients.flatMap((client) => [...client.back].filter(([kill]) => faultsMade.timed.has(kill)));
  const times = back.map(([, afterMs]) => afterMs).toSorted((one, other) => one - other);
  const fault = (...kinds: FaultKind[]): number => faults.filter(({ kind }) => kinds.includes(kind)).length;
  return [
    ['seconds', Math.round(seconds)],
    ['clients', clients.length],
    ['servers killed', faultsMade.kills],
    ['servers stopped', faultsMade.stops],
    ['servers restarted', faultsMade.restarts],
    ['connections gone over', total(clients, ({ moves }) => moves)],
    ['sessions resumed', total(clients, ({ resumes }) => resumes)],
    ['moved', total([...books.sockets.values()], ({ moved }) => moved)],
    ['told not recovered', [...told].map(([reason, times]) => `${reason || 'no reason'} ${times}`).join(', ') || 0],
    ['messages of rooms', total([...books.said.values()], ({ size }) => size)],
    ['messages of rooms that came', came.get('room') ?? 0],
    ['messages to one that came', (came.get(own) ?? 0) + (came.get(mail) ?? 0)],
    ['events of clients', total(clients, ({ sent }) => sent.size)],
    ['events handled again', total(events, ({ begun }) => Math.max(0, begun - 1))],
    ['handlers cut off, and run to their end elsewhere', total(events, ({ cut, done }) => (done > 0 ? cut : 0))],
    ['back after a kill, median ms', times[Math.floor(times.length / 2)] ?? 0],
    ['back after a kill, at most ms', times.at(-1) ?? 0],
    ['away, at most ms', Math.round(Math.max(0, ...books.away))],
    ['came back or went over in one second, at most', mostInASecond(books.returns)],
    ['lost', fault('lost')],
    ['doubled', fault('doubled')],
    ['out of order', fault('reordered')],
    ['ghosts', fault('ghost')],
    ['other faults', fault('misdelivered', 'untold', 'unanswered', 'late', 'broken')],
  ];
}

function total<Item>(items: readonly Item[], of: (item: Item) => number): number {
  return items.reduce((sum, item) => sum + of(item), 0);
}
