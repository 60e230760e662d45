// `halyard tail URL`: what servers do, line by line, by the namespace that `admin` of @halyard/admin has made there.
import { parseArgs } from 'node:util';
import { type Auth, connect as connectClient, type HalyardError } from '@halyard/client';
import { codecOf } from '../base/codecs';
import { askHidden } from '../base/hidden';
import { namesError } from '../base/option';
import { jsonOf, plain } from '../base/plain';
import { styleOf } from '../base/style';
import { targetOf } from '../base/target';
import { isOfKind, itemsIn, kindNames, lineOf } from '../tail/items';
import { authIn, type Command, commonOptions, commonUsage, headersIn, urlIn } from './command';
import { transportsIn } from './transports';

const namespaceDefault = '/halyard-admin';

const usage = `halyard tail URL [options]

What a server does, and all that share its store: sessions that begin, are away, come back, move and end, connections, refusals, warnings, errors.
The server has admin(io, …) of @halyard/admin; its path stands behind the host of the URL (${namespaceDefault} if nothing does). The password is what
the environment variable HALYARD_ADMIN_PASSWORD holds, or is asked for.

  --kind A,B        of these alone: ${kindNames.join(', ')} (default: all)
  --transport A,B   websocket, sse, polling: in this order (default: all)
${commonUsage}

It goes on until it is interrupted, and ends with 1 if the server does not let it in, or ends it.
`;

export const tail: Command = {
  name: 'tail',
  about: 'what a server and its cluster do, line by line',
  usage,
  async run(args) {
    const { values, positionals } = parseArgs({
      args: [...args],
      allowPositionals: true,
      options: { ...commonOptions, kind: { type: 'string' }, transport: { type: 'string' } },
    });
    const wanted = kindsIn(values.kind);
    const { origin, path, namespace, headers } = targetOf(urlIn(positionals), values.path, headersIn(values.header));
    const codec = await codecOf(values.codec);
    const transports = transportsIn(values.transport);
    const auth: Auth = (await authIn(values)) ?? (await passwordAuth());
    const style = styleOf(process.stdout);
    const { json } = values;
    const say = (text: string): void => {
      if (!json) console.log(`${style.dim('·')} ${plain(text)}`);
    };

    const socket = connectClient(origin + (namespace === '/' ? namespaceDefault : namespace), {
      ...{ path, codec, auth, extraHeaders: headers, transports, autoConnect: false },
    });
    /** By server, which its batch is called that came last. */
    const numbers = new Map<string, number>();
    socket.on('happened', (node: unknown, number: unknown, items: unknown, leftOut: unknown) => {
      const name = String(node);
      const before = numbers.get(name);
      if (typeof number === 'number') numbers.set(name, number);
      if (before !== undefined && typeof number === 'number' && number > before + 1)
        say(`${name}: what it has said ${number - before - 1} times has not come, because this reads too slowly`);
      for (const item of itemsIn(items)) {
        if (!isOfKind(item, wanted)) continue;
        const { at, happening, level, message, facts } = item;
        if (json) console.log(jsonOf({ ...facts, time: at, node: name, happening, level, message }));
        else console.log(lineOf(name, item, style));
      }
      if (typeof leftOut === 'number' && leftOut > 0) say(`${name}: ${leftOut} more were too many to be told`);
    });

    return new Promise<number>((resolve) => {
      let isOver = false;
      const end = (code: number): void => {
        isOver = true;
        process.off('SIGINT', interrupted).off('SIGTERM', interrupted);
        socket.connection.close();
        resolve(code);
      };
      const interrupted = (): void => end(0);
      process.on('SIGINT', interrupted).on('SIGTERM', interrupted);
      const failed = (error: HalyardError): void => {
        console.error(plain(`${error.code}: ${error.message}${hints[error.code] ?? ''}`));
        end(1);
      };
      socket.on('connect', () => {
        numbers.clear();
        socket.emitWithAck('tail').then(
          ({ node }) => say(`following, by ${node}`),
          (error: HalyardError) => {
            // It is asked again once there is a connection.
            if (socket.connected) failed(error);
          },
        );
      });
      socket.on('connect_error', (error: HalyardError) => {
        if (!socket.active) failed(error);
        else say(`${error.code}: ${error.message}; trying again`);
      });
      socket.on('disconnect', ({ code, reason }) => {
        if (isOver) return;
        if (socket.active) {
          say(`the connection is lost: ${code} ${reason}`);
          return;
        }
        console.error(plain(`The server has ended this: ${code} ${reason}`.trimEnd()));
        end(1);
      });
      socket.connect();
    });
  },
};

/** What to do about a refusal. */
const hints: Readonly<Record<string, string>> = {
  ERR_NAMESPACE_UNKNOWN:
    ' Call admin(io, { password }) of @halyard/admin on the server, and name its path behind the host.',
  ERR_ADMIN_PASSWORD: ' It is what the environment variable HALYARD_ADMIN_PASSWORD holds.',
};

/** @throws LocalUsageError `ERR_OPTION` */
function kindsIn(text: string | undefined): readonly string[] {
  const names = text?.split(',') ?? kindNames;
  for (const name of names) if (!kindNames.includes(name)) throw namesError('--kind', kindNames, name);
  return names;
}

async function passwordAuth(): Promise<Auth> {
  const password = process.env.HALYARD_ADMIN_PASSWORD ?? (await askHidden('Password: '));
  return password === '' ? {} : { password };
}
