// Single faults in the real code: the simulator has to find each of them. One that survives is a hole in the simulator.
// Longer than other files: it is a list.

export interface Mutant {
  /** What the code does wrong. */
  readonly fault: string;
  readonly file: string;
  /** What stands there, once. */
  readonly code: string;
  readonly instead: string;
  /** How many servers it takes to find it. Default: 1. */
  readonly nodes?: number;
}

const stream = 'packages/protocol/src/stream';
const server = 'packages/server/src';
const client = 'packages/client/src';

export const mutants: readonly Mutant[] = [
  {
    fault: 'a packet that comes again is handled again',
    file: `${stream}/machine.ts`,
    code: 'if (++this.incoming <= this.received) return;',
    instead: '++this.incoming;',
  },
  {
    fault: 'a message of a log that comes again is handled again',
    file: `${client}/session/positions.ts`,
    code: 'if (reached !== undefined && offset <= reached) return false;',
    instead: '',
  },
  {
    fault: 'one more is told handled than was',
    file: `${stream}/machine.ts`,
    code: 'this.sink.control({ type, received: this.received,',
    instead: 'this.sink.control({ type, received: this.received + 1,',
  },
  {
    fault: 'the first frame that was not confirmed is not sent again',
    file: `${stream}/client-outbox.ts`,
    code: 'carried = outbox.confirmed;',
    instead: 'carried = outbox.confirmed + (sent > outbox.confirmed ? 1 : 0);',
  },
  {
    fault: 'what had left waits for the window, and both ends count differently',
    file: `${stream}/client-outbox.ts`,
    code: 'if (flying && !fits && carried >= left) return undefined;',
    instead: 'if (flying && !fits) return undefined;',
  },
  {
    fault: 'what may have been handled in a lost session is said again in the next',
    file: `${stream}/client-outbox.ts`,
    code: 'if (number <= before || !keeps(frame)) lost++;',
    instead: 'if (!keeps(frame)) lost++;',
  },
  {
    fault: 'what is given up with a session is not told',
    file: `${stream}/client-outbox.ts`,
    code: 'return { kept, lost };',
    instead: 'return { kept, lost: 0 };',
  },
  {
    fault: 'replies of a lost session never settle',
    file: `${stream}/machine.ts`,
    code: 'this.acks?.fail(error, kept);',
    instead: '',
  },
  {
    fault: 'a settled event is handled again',
    file: `${stream}/movable-machine.ts`,
    code: 'if (this.#open.has(number) || this.#settled.has(number)) return;',
    instead: 'if (this.#open.has(number)) return;',
  },
  {
    fault: 'an event counts as handled before its handler has settled',
    file: `${server}/namespace/event-socket.ts`,
    code: 'this.call(event, args, ack, new Handling(() => this.line.settle(number)));',
    instead: 'this.line.settle(number);\n      this.call(event, args, ack, undefined);',
  },
  {
    fault: 'what is handled again is not said to be',
    file: `${server}/session/roaming.ts`,
    code: 'return number > 0 && number <= (moves.get(this)?.left ?? 0);',
    instead: 'return false;',
  },
  {
    fault: 'a frame of the outbox is left out of the record',
    file: `${server}/session/record-writer.ts`,
    code: 'let frame = Math.max(before?.frame ?? 0, counts.confirmed);',
    instead: 'let frame = Math.max(before?.frame ?? 0, counts.confirmed) + 1;',
  },
  {
    fault: 'a room that is joined is not noted in the record',
    file: `${server}/session/reading.ts`,
    code: 'if (presence.isLeaving) return;\n    this.touch(presence.id);\n    const isAdded',
    instead: 'if (presence.isLeaving) return;\n    const isAdded',
    nodes: 3,
  },
  {
    fault: 'a membership begins with the log, and not where it was joined',
    file: `${server}/room/rooms.ts`,
    code: 'membershipOf(room, room.log.lastOffset, since);',
    instead: 'membershipOf(room, 0, since);',
  },
  {
    fault: 'a room that was left is read on to its end',
    file: `${server}/room/rooms.ts`,
    code: 'membership.to = room.log.lastOffset;',
    instead: 'membership.to = Number.POSITIVE_INFINITY;',
  },
  {
    fault: 'an exception is forgotten when a log is read again',
    file: `${server}/session/catch-up.ts`,
    code: 'if (!presence.wasExcepted(log.exceptAt(cursor.offset), emitted, emitted)) {',
    instead: 'if (emitted > 0) {',
  },
  {
    fault: 'an exception by a room that was left is forgotten',
    file: `${server}/session/presence.ts`,
    code: 'if (!membership.isHeld && !room.hasSpoken(membership)) return;',
    instead: 'return;',
  },
  {
    fault: 'a member of two rooms gets it twice when it is read again',
    file: `${server}/log/except.ts`,
    code: 'return index !== undefined && index < this.count ? this.places.positions[index]?.[1] : undefined;',
    instead: 'return undefined;',
  },
  {
    fault: 'a member of two rooms gets it twice, live',
    file: `${server}/session/reading.ts`,
    code: 'const first = stamp !== this.#seenStamp;',
    instead: 'const first = true;',
  },
  {
    fault: 'the last entry of a log is not read',
    file: `${server}/session/catch-up.ts`,
    code: 'if (place === undefined || cursor.offset > membership.to',
    instead: 'if (place === undefined || cursor.offset >= log.lastOffset || cursor.offset > membership.to',
  },
  {
    fault: 'what was read is sent before what was emitted earlier and waits in the outbox',
    file: `${server}/session/catch-up.ts`,
    code: 'const isWaitingFirst = waiting !== undefined && waitingStamp <= Math.min(next?.stamp ?? none, this.#horizon);',
    instead: 'const isWaitingFirst = waiting !== undefined && next === undefined;',
  },
  {
    fault: 'a HELLO that was overtaken takes the session',
    file: `${server}/session/session.ts`,
    code: 'return generation !== 0 && generation <= this.#generation;',
    instead: 'return false;',
  },
  {
    fault: 'a trimmed log is read on, with a hole',
    file: `${server}/session/reading.ts`,
    code: 'if (log.trimmed.misses(presence, confirmedStamp, position)) return false;',
    instead: '',
  },
  {
    fault: 'a slow client loses a frame in the midst of others',
    file: `${server}/wire/websocket.ts`,
    code: '    else this.#queued = [queued, frame];',
    instead: '    else this.#queued = [queued];',
  },
  {
    fault: 'a native publish overtakes what was emitted before and waits',
    file: `${server}/room/fan-out.ts`,
    code: 'if (this.host?.publish !== undefined) this.#flusher.flush();',
    instead: '',
  },
  {
    fault: 'an answer of polling that comes late is taken for the next',
    file: `${client}/link/polling.ts`,
    code: "if (method === 'GET' && number > received + 1) await posting;\n          if (number) {\n            if (number !== received + 1) throw Error('ERR_SEQUENCE');",
    instead: 'if (number) {',
  },
  {
    fault: 'a body of polling that comes again is handled again',
    file: `${server}/wire/http/polling.ts`,
    code: 'if (number >= 1 && number <= this.#bodies) {',
    instead: 'if (number >= 1 && number < this.#bodies) {',
  },
  {
    fault: 'a socket that is over stays in its rooms',
    file: `${server}/session/presence.ts`,
    code: 'for (const membership of this.exitAll(!isRead)) this.line.exit(this, membership);\n    this.ended(',
    instead: 'this.ended(',
  },
  {
    fault: 'what is emitted leaves before it is stored',
    file: `${stream}/movable-machine.ts`,
    code: 'return this.outbox.carried < this.#storedSent && super.transmitWaiting();',
    instead: 'return super.transmitWaiting();',
    nodes: 3,
  },
  {
    fault: 'an entry of this node is delivered before its turn has come',
    file: `${server}/store/feed.ts`,
    code: '(entry.node === node && !isReleased(entry.stamp))',
    instead: 'false',
    nodes: 3,
  },
  {
    fault: 'a session is taken as it was before it was claimed',
    file: `${server}/session/claims.ts`,
    code: 'decodeRecord(taken.record, store.codec)',
    instead: 'decodeRecord(stored.record, store.codec)',
    nodes: 3,
  },
  {
    fault: 'a session is claimed without the nonce',
    file: `${server}/store/memory-hub.ts`,
    code: 'if (stored.nonce !== nonce) return false;',
    instead: '',
    nodes: 3,
  },
  {
    fault: 'who was fenced goes on',
    file: `${server}/store/queued-turn.ts`,
    code: 'session.fenced(generation);',
    instead: '',
    nodes: 3,
  },
  {
    fault: 'a session is let go to a connection that is not the last',
    file: `${server}/session/directory.ts`,
    code: 'const isLater = session.isLater(generation);',
    instead: 'const isLater = false;',
    nodes: 3,
  },
  {
    fault: 'a commit that comes again is done again',
    file: 'test/sim/simulated-store.ts',
    code: 'return last.result;',
    instead: '',
    nodes: 3,
  },
  {
    fault: 'a gap in a log is guessed over',
    file: `${server}/store/feed.ts`,
    code: 'const entry = this.#waiting.get(log.nextOffset);',
    instead: 'const entry = this.#waiting.get(log.nextOffset) ?? [...this.#waiting.values()][0];',
    nodes: 3,
  },
  {
    fault: 'a membership begins where the log is here',
    file: `${server}/room/rooms.ts`,
    code: 'Object.assign(membership, { epoch, from: offset, read: offset, begins: undefined });',
    instead:
      'Object.assign(membership, { epoch, from: room.log.lastOffset, read: room.log.lastOffset, begins: undefined });',
    nodes: 3,
  },
  {
    fault: 'the frame of another node confirms what came here',
    file: `${stream}/movable-machine.ts`,
    code: 'return number > this.#sentBefore;',
    instead: 'return true;',
    nodes: 3,
  },
  {
    fault: 'what a membership covers shrinks as it is read',
    file: `${server}/session/spans.ts`,
    code: 'function covers({ epoch, from, to }: Membership',
    instead: 'function covers({ epoch, read: from, to }: Membership',
    nodes: 3,
  },
  {
    fault: 'an exception of a room is decided by who is in it here now',
    file: `${server}/room/rooms.ts`,
    code: 'return this.turn.isShared ? stamps.next() : stamps.last;',
    instead: 'return stamps.last;',
    nodes: 3,
  },
  {
    fault: 'an event counts as handled as it is delivered',
    file: `${stream}/movable-machine.ts`,
    code: 'received: this.#settled.prefix,',
    instead: 'received: this.incoming,',
    nodes: 3,
  },
  {
    fault: 'what is settled is told before that is stored',
    file: `${stream}/movable-machine.ts`,
    code: 'if (this.#settled.prefix > prefix) this.sink.settled?.();',
    instead: 'this.received = this.#settled.prefix; if (this.#settled.prefix > prefix) this.sink.settled?.();',
    nodes: 3,
  },
  {
    fault: 'a letter that is taken is taken again by the next server',
    file: `${server}/session/roaming.ts`,
    code: 'return moves.get(this)?.mailbox.record() ?? noMail;',
    instead: 'return noMail;',
    nodes: 3,
  },
  {
    fault: 'a letter that was not told is never read',
    file: `${server}/store/queued-turn.ts`,
    code: 'if (hasMail.has(session.id)) session.mailed();',
    instead: '',
    nodes: 3,
  },
  {
    fault: 'letters that are lost are not sent again',
    file: `${server}/store/queued-turn.ts`,
    code: 'for (const letter of letters) this.#post(letter);',
    instead: '',
    nodes: 3,
  },
  {
    fault: 'a log that has lost something keeps its epoch',
    file: `${server}/store/feed.ts`,
    code: '.until(() => store.renew(name, epoch), isPosition)',
    instead: '.until(() => [epoch, 0] as const, isPosition)',
    nodes: 3,
  },
  {
    fault: 'nobody asks the others what they have known of a log that has lost something',
    file: `${server}/api/node.ts`,
    code: 'return [written, ...results.flatMap(([, its]) => its as unknown as Known[])];',
    instead: 'return [];',
    nodes: 3,
  },
  {
    fault: 'records of which something is lost are not written again',
    file: `${server}/api/node.ts`,
    code: '=== partition) session.rolledBack();',
    instead: '=== partition) void session;',
    nodes: 3,
  },
  {
    fault: 'what is stored again is delivered again',
    file: `${server}/store/feed.ts`,
    code: 'const isKnown = this.#before?.',
    instead: 'const isKnown = (undefined as Before | undefined)?.',
    nodes: 3,
  },
  {
    fault: 'it is not seen what an entry is behind',
    file: `${server}/store/feed.ts`,
    code: 'return stamp === 0 ||',
    instead: 'return true ||',
    nodes: 3,
  },
  {
    fault: 'what a handler answers that goes on where it was begun is lost',
    file: `${server}/session/roaming.ts`,
    code: 'if (its !== undefined && replies !== undefined) this.context.finished(its.node, this.id, number, replies);',
    instead: '',
    nodes: 3,
  },
  {
    fault: 'what a server has begun that is gone is handled by nobody',
    file: `${server}/session/directory.ts`,
    code: 'for (const session of [...this.#byId.values()]) session.nodeLeft(node);',
    instead: '',
    nodes: 3,
  },
  {
    fault: 'a session ends while the store is away',
    file: `${server}/session/session.ts`,
    code: 'else if (this.context.turn.isShared) this.endLater();',
    instead: '',
    nodes: 3,
  },
];
