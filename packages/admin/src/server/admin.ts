// What a server does for those who look at it: its namespace, what is said between servers for it, and the page.
import { LocalUsageError, PublicError } from '@halyard/protocol';
import type { Namespace, Server, Socket } from '@halyard/server';
import type { AdminToPage, AdminToServer, Answer, Looked, Question } from '../base/said';
import { type DoorData, doorOf } from './door';
import { Leases } from './leases';
import { type AdminOptions, checkOptions } from './options';
import { type AdminPage, pageHandler } from './page';
import { Problems } from './problems';
import { Questions, questionOf } from './questions';
import { Reporter } from './report';
import { describer } from './session-rows';
import { Tailing } from './tailing';
import { Watchers } from './watchers';

/** What is needed of a server, whatever its events are. */
export type AdminServer = Pick<Server, 'inspect' | 'health' | 'nodes' | 'node'>;

/** What servers say to each other, by an event with the name of the namespace. */
type Said =
  | readonly [kind: 'watched', room: string, node: string, isWatched: boolean]
  | readonly [kind: 'asked', socket: string, id: number, question: Question];

/** In these are those who look, and those who follow. */
const rooms = { looking: 'looking', tailing: 'tailing' } as const;
type RoomName = (typeof rooms)[keyof typeof rooms];

/** All pages of a server may ask so much in a second. */
const questionsPerSecondMax = 50;

const served = new WeakSet<object>();

/**
 * Makes the namespace that shows what a server does, and the page that shows it to people. Each server of a cluster has to call it, with the
 * same path and password: each answers for itself.
 * @param io a server
 * @returns what answers requests for the page: for the option `fetch` of the server, or as a listener of Express
 * @throws LocalUsageError `ERR_OPTION` that names the option and what it may be; `ERR_ADMIN` if the server has one already
 */
export function admin(io: AdminServer, options: AdminOptions): AdminPage {
  if (typeof io?.inspect !== 'function') {
    const rule = 'admin takes a server of Halyard and then options: admin(io, { password }).';
    throw new LocalUsageError('ERR_OPTION', rule, { option: 'io' });
  }
  const checked = checkOptions(options);
  const inspection = io.inspect();
  if (!inspection.codecs.includes('json')) {
    throw new LocalUsageError('ERR_OPTION', 'The page of admin speaks json: add json() to the codecs of the server.');
  }
  if (served.has(io)) throw new LocalUsageError('ERR_ADMIN', 'admin(io) was called for this server already.');
  served.add(io);
  new Admin(io as unknown as Server, checked);
  return pageHandler(checked, inspection.path);
}

class Admin {
  readonly #io: Server;
  readonly #event: string;
  readonly #namespace: Namespace<AdminToServer, AdminToPage, DoorData>;
  readonly #isReadOnly: boolean;
  readonly #questions: Questions;
  readonly #leases: Readonly<Record<RoomName, Leases>>;
  readonly #clock: { now(): number };
  #second = 0;
  #asked = 0;

  constructor(io: Server, options: ReturnType<typeof checkOptions>) {
    const { path, isReadOnly } = options;
    const inspection = io.inspect();
    const { clock } = inspection;
    const now = (): number => clock.now();
    this.#io = io;
    this.#event = path;
    this.#isReadOnly = isReadOnly;
    this.#clock = clock;
    const describe = describer(options.describe);
    const problems = new Problems(() => clock.wall());
    inspection.hear('warn', problems.hear);
    this.#questions = new Questions({ inspection, problems, describe, isReadOnly });

    const namespace = io.of<AdminToServer, AdminToPage, DoorData>(path);
    this.#namespace = namespace;
    const door = doorOf(options, now);
    namespace.use((handshake) => door.enter(handshake));
    namespace.onResume((socket) => door.comeBack(socket as unknown as Socket));

    const looks = new Leases(now, () => reporter.begin());
    const tails = new Leases(now, () => tailing.begin());
    this.#leases = { looking: looks, tailing: tails };
    const reporter = new Reporter({
      ...{ inspection, problems, describe, leases: looks },
      health: () => io.health(),
      send: (report) => namespace.to(rooms.looking).volatile.emit('report', report, io.nodes()),
    });
    const tailing = new Tailing({
      ...{ inspection, leases: tails },
      send: (number, items, leftOut) =>
        namespace.to(rooms.tailing).volatile.emit('happened', io.node, number, items, leftOut),
    });
    const watchersOf = (room: RoomName): Watchers =>
      new Watchers({ room, clock, tell: (isWatched) => this.#tell('watched', room, io.node, isWatched) });
    const [lookers, tailers] = [watchersOf(rooms.looking), watchersOf(rooms.tailing)];

    io.on(path, (...said: unknown[]) => this.#hear(...(said as unknown as Said)));
    namespace.on('connection', (socket) => {
      const any = socket as unknown as Socket;
      for (const watchers of [lookers, tailers]) watchers.follow(any);
      const looked: Looked = { node: io.node, isReadOnly };
      socket.on('look', () => {
        lookers.add(any);
        return looked;
      });
      socket.on('look-away', () => lookers.leave(any));
      socket.on('tail', () => {
        tailers.add(any);
        return looked;
      });
      socket.on('ask', (id, question) => this.#ask(socket.id, id, question));
    });
  }

  #ask(socket: string, id: number, value: unknown): readonly string[] {
    if (!Number.isSafeInteger(id)) throw new PublicError('ERR_INVALID', 'A question is asked under a whole number.');
    const question = questionOf(value);
    if (question.what === 'end' && this.#isReadOnly)
      throw new PublicError('ERR_ADMIN_READ_ONLY', 'Nothing is ended from here: the option readOnly of admin is on.');
    const second = Math.floor(this.#clock.now() / 1_000);
    if (second !== this.#second) [this.#second, this.#asked] = [second, 0];
    if (++this.#asked > questionsPerSecondMax)
      throw new PublicError('ERR_ADMIN_BUSY', `More than ${questionsPerSecondMax} questions in a second: ask again.`);
    this.#tell('asked', socket, id, question);
    return this.#io.nodes();
  }

  /** Tells all servers, this one first. */
  #tell(...said: Said): void {
    this.#hear(...said);
    if (this.#io.nodes().length > 1) this.#io.serverSideEmit(this.#event, ...said);
  }

  #hear(...said: Said): void {
    if (said[0] === 'watched') {
      const [, room, node, isWatched] = said;
      const leases = this.#leases[room as RoomName];
      if (isWatched) leases?.take(node);
      else leases?.give(node);
      return;
    }
    const [, socket, id, question] = said;
    const answer: Answer = this.#questions.answer(questionOf(question));
    this.#namespace.to(socket).emit('answer', id, this.#io.node, answer);
  }
}
