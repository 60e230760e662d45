// What each line that is typed does: it has the sockets, and says what comes of it.
import type { HalyardError, Socket, Value } from '@halyard/client';
import { LocalUsageError } from '@halyard/protocol';
import { entered } from './entered';
import { valueText } from './packets';
import { firstWord, valuesOf } from './words';

export interface ShellOptions {
  readonly socket: Socket;
  /** What `wait` and `ack` wait for at most. */
  readonly waitMs: number;
  /** Names that are completed from the beginning on: of a contract. */
  readonly events: readonly string[];
  /** Something that is no packet. @param value JSON of a reply */
  say(text: string, value?: string): void;
}

interface Typed {
  readonly usage: string;
  readonly about: string;
  run(rest: string): unknown;
}

/** Of names that were heard, so many are completed. */
const knownMax = 1_000;

export class Shell {
  /** Whether `quit` was typed. */
  isOver = false;
  readonly #options: ShellOptions;
  readonly #sockets = new Map<string, Socket>();
  readonly #events: Set<string>;
  /** Where events go. */
  #now: Socket;

  constructor(options: ShellOptions) {
    this.#options = options;
    this.#now = options.socket;
    this.#events = new Set(options.events);
    this.#have(options.socket);
  }

  /** Rejects with what is wrong with a line, or came of it. */
  async run(line: string): Promise<void> {
    const [word, rest] = firstWord(line);
    if (word === '' || word.startsWith('#')) return;
    const typed = Object.hasOwn(this.#typed, word) ? this.#typed[word] : undefined;
    if (typed === undefined) throw new LocalUsageError('ERR_COMMAND', `There is no command "${word}": type help.`);
    await typed.run(rest);
  }

  /** For readline: what a line may go on with. */
  complete(line: string): [string[], string] {
    const [, before = '', last = ''] = /^(.*?)(\S*)$/s.exec(line) ?? [];
    const words = before.trim() === '' ? Object.keys(this.#typed) : [...this.#events, ...this.#sockets.keys()];
    return [words.filter((word) => word.startsWith(last)), last];
  }

  readonly #typed: Readonly<Record<string, Typed>> = {
    emit: {
      usage: 'emit EVENT [VALUE …]',
      about: 'sends an event; a value is JSON, or a word',
      run: (rest) => {
        const [event, args] = this.#eventIn(rest);
        this.#now.emit(event, ...args);
      },
    },
    ack: {
      usage: 'ack EVENT [VALUE …]',
      about: 'sends an event and waits for its reply',
      run: async (rest) => {
        const [event, args] = this.#eventIn(rest);
        const value = await this.#now.timeout(this.#options.waitMs).emitWithAck(event, ...args);
        this.#options.say(`reply to ${event}: ${valueText(value)}`, valueText(value));
      },
    },
    volatile: {
      usage: 'volatile EVENT [VALUE …]',
      about: 'sends an event that may be dropped',
      run: (rest) => {
        const [event, args] = this.#eventIn(rest);
        this.#now.volatile.emit(event, ...args);
      },
    },
    wait: {
      usage: 'wait EVENT',
      about: 'waits until the next event of this name has come',
      run: (rest) => this.#wait(firstWord(rest)[0]),
    },
    join: {
      usage: 'join NAMESPACE [AUTH]',
      about: 'enters a namespace, and goes on in it',
      run: (rest) => this.#join(rest),
    },
    leave: {
      usage: 'leave',
      about: 'leaves the namespace of now, and goes on in the first one',
      run: () => {
        this.#now.disconnect();
        this.#sockets.delete(this.#now.namespace);
        this.#now = this.#options.socket;
      },
    },
    state: {
      usage: 'state',
      about: 'how the connection is, and by which transport',
      run: () => {
        const { connection } = this.#now;
        const ids = [...this.#sockets.values()].map(({ namespace, id }) => `${namespace} (${id ?? 'not connected'})`);
        this.#options.say(`${connection.state} by ${connection.transport ?? 'none'}: ${ids.join(', ')}`);
      },
    },
    help: { usage: 'help', about: 'this', run: () => this.#options.say(this.help) },
    quit: {
      usage: 'quit',
      about: 'says goodbye, and ends',
      run: () => {
        this.isOver = true;
      },
    },
  };

  get help(): string {
    return Object.values(this.#typed)
      .map(({ usage, about }) => `  ${usage.padEnd(usageChars)}${about}`)
      .join('\n');
  }

  #have(socket: Socket): Socket {
    const { say } = this.#options;
    if (this.#sockets.has(socket.namespace)) return socket;
    this.#sockets.set(socket.namespace, socket);
    const where = socket.namespace;
    socket.on('connect', ({ recovered, reason }) => {
      say(`${where} connected${recovered ? ', and nothing was missed' : reason ? `, anew: ${reason}` : ''}`);
    });
    socket.on('disconnect', ({ code, reason }) => say(`${where} disconnected: ${code} ${reason}`.trimEnd()));
    socket.on('connect_error', (error: HalyardError) =>
      say(`${where} does not connect: ${error.code}: ${error.message}`),
    );
    socket.on('error', (error) => say(`error: ${(error as Error).message ?? error}`));
    socket.onAny((event) => {
      if (this.#events.size < knownMax) this.#events.add(event);
    });
    return socket;
  }

  /** Rejects if the namespace does not let us in, or says nothing in time. */
  async #join(rest: string): Promise<void> {
    const [namespace, text] = firstWord(rest);
    const [auth] = text === '' ? [] : valuesOf(text);
    const { socket: first, waitMs } = this.#options;
    const socket = this.#have(first.of(namespace, auth === undefined ? {} : { auth: auth as Record<string, Value> }));
    await entered(socket.connect(), waitMs);
    this.#now = socket;
  }

  #eventIn(rest: string): readonly [event: string, args: readonly unknown[]] {
    const [event, values] = firstWord(rest);
    if (event === '') throw new LocalUsageError('ERR_COMMAND', 'Which event? Its name stands behind the command.');
    this.#events.add(event);
    return [event, valuesOf(values)];
  }

  #wait(event: string): Promise<void> {
    const { waitMs } = this.#options;
    const socket = this.#now;
    return new Promise((resolve, reject) => {
      const settle = (error?: Error): void => {
        clearTimeout(limit);
        socket.offAny(heard);
        if (error === undefined) resolve();
        else reject(error);
      };
      const heard = (name: string): void => {
        if (name === event) settle();
      };
      const limit = setTimeout(() => {
        settle(new LocalUsageError('ERR_WAIT', `No event "${event}" has come within ${waitMs / 1_000} seconds.`));
      }, waitMs);
      socket.onAny(heard);
    });
  }
}

const usageChars = 26;
