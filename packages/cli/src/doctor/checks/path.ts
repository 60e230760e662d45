// Whether a Halyard server answers at the path, and if not, who does, and where it is.
import { type Answer, noAnswerOf } from '../../probe/http';
import { nginx } from '../advice';
import { type Check, fault, type Outcome, ok } from '../check';
import { described, strange, wordsOf } from '../refusal';
import type { Visit } from '../visit';

export const path: Check = {
  name: 'path',
  about: 'a Halyard server answers at the path; if not, who does, and where it is',
  needs: 'host',
  async run(visit) {
    let answer: Answer;
    try {
      answer = await visit.ask({});
    } catch (error) {
      const { message, code } = noAnswerOf(error);
      return [
        fault(
          `It accepts connections, and answers no HTTP: ${message} (${code}).`,
          'Is it another service that listens at this port? Does the server stand still?',
        ),
      ];
    }
    if (isServers(answer)) {
      visit.isServer = true;
      return [ok(`A Halyard server answers at ${visit.path}${byWhom(answer)}.`)];
    }
    const wrong = visit.path;
    const found = [...elsewhere(visit)];
    for (const other of found) {
      if (await isServerAt(visit, other)) {
        visit.path = other;
        visit.isServer = true;
        return [moved(visit, wrong, answer)];
      }
    }
    if (wordsOf(answer) !== undefined) return [wrongPath(visit, answer)];
    return [(await socketIo(visit)) ?? nobody(visit, answer)];
  },
};

/** Other paths that may have been meant. */
function* elsewhere({ path, options: { target } }: Visit): Generator<string> {
  const behindHost = target.namespace.replace(/\/+$/, '');
  const bare = path.replace(/\/+$/, '');
  const all = [bare, `${bare}/`, '/halyard', behindHost, behindHost + bare, `${behindHost}/halyard`, `${bare}/halyard`];
  for (const other of new Set(all)) if (other !== path && other.startsWith('/')) yield other;
}

/** Whether it is in the words of a Halyard server that has this path. */
function isServers(answer: Answer): boolean {
  const { code = '' } = wordsOf(answer) ?? {};
  return code.startsWith('ERR_') && code !== 'ERR_PATH';
}

async function isServerAt(visit: Visit, path: string): Promise<boolean> {
  const answer = await visit.ask({}, path).catch(() => undefined);
  return answer !== undefined && isServers(answer);
}

function moved({ path, options: { target } }: Visit, wrong: string, answer: Answer): Outcome {
  const isNamespace = target.namespace !== '/' && path.startsWith(target.namespace.replace(/\/+$/, ''));
  return fault(
    `There is no Halyard server at ${wrong} (${described(answer)}), and one at ${path}: what follows is about that.`,
    ...(isNamespace
      ? ['What stands behind the host of a URL is a namespace; the path of the server is an option.']
      : []),
    `The client:  connect('${target.origin}', { path: '${path}' })`,
    `This command:  --path ${path}`,
    `Or the server:  new Server({ path: '${wrong}' })`,
  );
}

/** A Halyard server says that nothing is served at what has come to it: mostly a proxy hands on a path that it does not have. */
function wrongPath(visit: Visit, answer: Answer): Outcome {
  const { path } = visit;
  return fault(
    `A Halyard server answers, and has another path than what has come to it for ${path} (${described(answer)}).`,
    'If the path is of the proxy alone, it has to be taken off on the way:',
    ...nginx(visit, 'proxy_pass http://halyard/halyard;').map((line) => `  ${line}`),
    `  HAProxy, in the backend: http-request replace-path ${path.replace(/\/halyard$/, '')}(/.*) \\1`,
    `Or the server has it too:  new Server({ path: '${path}' })`,
    'Or, if there is no proxy, connect to the path that the server has, by --path.',
  );
}

async function socketIo(visit: Visit): Promise<Outcome | undefined> {
  const answer = await visit.ask({}, '/socket.io/?EIO=4&transport=polling').catch(() => undefined);
  if (answer === undefined || !/^0\{"sid"|^\{"code":\d,"message":/.test(answer.body.toString())) return undefined;
  return fault(
    'What answers there is a Socket.IO server, at /socket.io/: it speaks another protocol.',
    'Connect to it with the client of Socket.IO; or the app has to be moved to Halyard, on both sides.',
  );
}

function nobody(visit: Visit, answer: Answer): Outcome {
  const { path } = visit;
  const tried = [...elsewhere(visit)].filter((other) => other !== '/').join(', ');
  if (answer.status !== 404 && answer.status !== 200 && answer.status !== 405) {
    return strange(visit, answer, `GET ${path}`);
  }
  const isPage = answer.status === 200;
  return fault(
    `Something answers at ${path}, and it is no Halyard server: ${described(answer)}. It is not at ${tried} either.`,
    isPage
      ? 'Mostly that is the page of an app, which answers every path: what stands in front has to hand on this path to the Halyard server.'
      : 'What stands in front does not hand on this path to the Halyard server, or it is not attached to this one:',
    ...nginx(visit, 'proxy_pass http://halyard;'),
    'An app with a server of its own:  await io.attach(httpServer)',
    'If the server has another path (its option "path"), say so by --path.',
    ...(isPage ? ['On a network that has one, its login page looks like this, too.'] : []),
  );
}

function byWhom({ headers }: Answer): string {
  if (headers.server !== undefined) return `, behind ${headers.server}`;
  return headers.uwebsockets !== undefined ? ', on uWebSockets.js' : '';
}
