// `halyard connect URL`: a client by hand, which shows each packet as it goes.
import { appendFile, readFile } from 'node:fs/promises';
import { createInterface, type Interface } from 'node:readline';
import { parseArgs } from 'node:util';
import { type Auth, connect as connectClient } from '@halyard/client';
import type { Frame } from '@halyard/protocol';
import { codecOf } from '../base/codecs';
import { optionError, wholeNumber } from '../base/option';
import { jsonOf, plain } from '../base/plain';
import { styleOf } from '../base/style';
import { targetOf } from '../base/target';
import { entered } from '../connect/entered';
import { nameOf, textOf } from '../connect/packets';
import { Shell } from '../connect/shell';
import { type Direction, tapped } from '../connect/tap';
import { loaded } from '../docs/loaded';
import { authIn, type Command, commonOptions, commonUsage, headersIn, urlIn } from './command';
import { transportsIn } from './transports';

/** Of a packet, more is not shown. */
const shownCharsMax = 2_000;
const nameChars = 12;
const historyLines = 1_000;

const usage = `halyard connect URL [options]

A client by hand: what is typed is done, and each packet is shown as it goes (→ to the server, ← from it), as the JSON that docs/PROTOCOL.md has
for it, without secrets. What comes by standard input, and not from a terminal, is done line by line, and then it ends: with 1 if a line has failed.

  --transport A,B   websocket, sse, polling: in this order (default: all)
  --contract FILE   a module that exports a contract, whose events the tab key completes; --export says which of several
  --history FILE    keeps what was typed there (default: nowhere)
  --wait-ms N       what "ack" and "wait" wait for, and who types nothing for the connection (default 10000)
${commonUsage}

Type help for what may be typed.
`;

export const connect: Command = {
  name: 'connect',
  about: 'a client by hand, which shows each packet as it goes',
  usage,
  async run(args) {
    const { values, positionals } = parseArgs({
      args: [...args],
      allowPositionals: true,
      options: {
        ...commonOptions,
        transport: { type: 'string' },
        contract: { type: 'string' },
        export: { type: 'string' },
        history: { type: 'string' },
        'wait-ms': { type: 'string', default: '10000' },
      },
    });
    const waitMs = wholeNumber('--wait-ms', values['wait-ms'], 100, 600_000);
    const { origin, path, namespace, headers } = targetOf(urlIn(positionals), values.path, headersIn(values.header));
    const codec = await codecOf(values.codec);
    const auth: Auth | undefined = await authIn(values);
    const transports = transportsIn(values.transport);
    const events = values.contract === undefined ? [] : await eventsIn(values.contract, values.export);
    const isTerminal = process.stdin.isTTY === true;
    const history = values.history === undefined ? [] : await historyIn(values.history);
    const style = styleOf(process.stdout);
    let reader: Interface | undefined;

    const print = (line: string): void => {
      // What is being typed is drawn again below.
      if (isTerminal) process.stdout.write('\r\u001b[K');
      console.log(line);
      if (isTerminal) reader?.prompt(true);
    };
    const tell = (direction: Direction, frame: Frame): void => {
      const time = new Date();
      let [name, text] = ['', ''];
      try {
        const packet = codec.decode(frame);
        [name, text] = [nameOf(packet), textOf(packet)];
      } catch (error) {
        [name, text] = ['?', `no packet: ${(error as Error).message}`];
      }
      if (values.json) print(jsonOf({ time, direction, name, packet: name === '?' ? text : JSON.parse(text) }));
      else {
        const arrow = direction === 'out' ? style.blue('→') : style.green('←');
        const shown =
          text.length > shownCharsMax ? `${text.slice(0, shownCharsMax)}… (${text.length} characters)` : text;
        print(`${style.dim(time.toISOString().slice(11, -1))} ${arrow} ${name.padEnd(nameChars)}${plain(shown)}`);
      }
    };
    const say = (text: string, value?: string): void => {
      const more = value === undefined ? undefined : { value: JSON.parse(value) };
      if (values.json) print(jsonOf({ time: new Date(), said: text, ...more }));
      else print(`${style.dim('·')} ${plain(text)}`);
    };

    const socket = connectClient(origin + namespace, {
      ...{ path, codec, auth, extraHeaders: headers, autoConnect: false },
      transports: transports.map((transport) => tapped(transport, tell)),
    });
    const shell = new Shell({ socket, waitMs, events, say });
    socket.connect();
    let failed = false;
    try {
      // A line that comes while nobody reads is lost.
      if (!isTerminal) await entered(socket, waitMs);
      reader = createInterface({
        ...{ input: process.stdin, terminal: isTerminal, history, historySize: historyLines, prompt: '> ' },
        ...(isTerminal && { output: process.stdout, completer: (line: string) => shell.complete(line) }),
      });
      if (isTerminal) say(`connecting to ${origin}${namespace}. Type help, or quit.`);
      if (isTerminal) reader.prompt();
      for await (const line of reader) {
        try {
          await shell.run(line);
          if (values.history !== undefined && line.trim() !== '') await appendFile(values.history, `${line}\n`);
        } catch (error) {
          failed = true;
          const { code, message } = error as { code?: string; message?: string };
          say(`${code ?? 'error'}: ${message}`);
        }
        if (shell.isOver) break;
        if (isTerminal) reader.prompt();
      }
    } catch (error) {
      failed = true;
      say((error as Error).message);
    } finally {
      reader?.close();
      reader = undefined;
      socket.connection.close();
    }
    return failed && !isTerminal ? 1 : 0;
  },
};

/** Rejects with LocalUsageError `ERR_OPTION`, `ERR_MODULE` */
async function eventsIn(file: string, exported: string | undefined): Promise<string[]> {
  const { contract } = await loaded('--contract', file, exported);
  return Object.keys(contract.clientToServer);
}

/** Newest first, as readline has it. Rejects with LocalUsageError `ERR_OPTION` */
async function historyIn(file: string): Promise<string[]> {
  try {
    // It is there from now on: what could not be kept is said before anything is typed.
    await appendFile(file, '');
    const lines = (await readFile(file, 'utf8')).split('\n').filter((line) => line !== '');
    return lines.slice(-historyLines).reverse();
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    throw optionError('--history', `a file that can be read and written (${code})`, file);
  }
}
