// The page: it asks for the password, connects with it, and shows what servers say for as long as somebody can see it.
import { connect, type Socket } from '@halyard/client';
import { type AdminToPage, type AdminToServer, type Problem, refusals } from '../base/said';
import { Asking } from './asking';
import { element, fill, say } from './html';
import { number, Overview, showRooms, silentText } from './overview';
import { SessionsPart } from './sessions';
import { count, time } from './words';

type AdminSocket = Socket<AdminToPage, AdminToServer>;

const { path = '', halyard = '', door = '' } = document.documentElement.dataset;
/** A proxy may have put something in front. */
const prefix = location.pathname.replace(/\/$/, '').slice(0, -path.length);
const keptAs = `halyard-admin ${path}`;
/** So often it is looked whether a server has fallen silent, in milliseconds. */
const lookMs = 1_000;
const problemsShown = 100;

let end = (): void => {};

function enter(password: string): void {
  end();
  const auth = password === '' ? {} : { password };
  const socket: AdminSocket = connect(location.origin + path, { path: prefix + halyard, auth });
  const panel = new Panel(socket);
  end = () => {
    end = () => {};
    panel.end();
  };
  socket.on('connect', () => panel.begin());
  socket.on('connect_error', (error) => {
    if (panel.isOver) return;
    if (socket.active) {
      say('status', `Connecting … ${(error as Error).message}`);
      return;
    }
    end();
    const { code, message } = error as { code?: string; message: string };
    if (code === refusals.password || code === refusals.guard) sessionStorage.removeItem(keptAs);
    // Who was not asked yet is not refused.
    ask(password === '' && code === refusals.password ? '' : message);
  });
  socket.on('disconnect', ({ code, reason }) => {
    panel.pause();
    if (panel.isOver) return;
    if (socket.active) say('status', 'The connection is lost. Connecting …');
    else ask(`The server has ended this: ${code} ${reason}`.trim());
  });
}

/** Shows the door. @param refusal why it is shut */
function ask(refusal: string): void {
  end();
  say('status', '');
  element('panel').hidden = true;
  element('leave').hidden = true;
  element('enter').hidden = false;
  say('refusal', refusal);
  const field = element<HTMLInputElement>('password');
  field.value = '';
  field.focus();
}

function leave(): void {
  sessionStorage.removeItem(keptAs);
  ask('');
}

/** What is shown of one connection. */
class Panel {
  isOver = false;
  readonly #socket: AdminSocket;
  readonly #asking: Asking;
  readonly #overview: Overview;
  readonly #sessions: SessionsPart;
  #timer: ReturnType<typeof setInterval> | undefined;

  constructor(socket: AdminSocket) {
    this.#socket = socket;
    this.#asking = new Asking(socket);
    this.#sessions = new SessionsPart(this.#asking, failed);
    this.#overview = new Overview(this.#sessions.look, () => this.#askProblems());
    socket.on('report', (report, nodes) => this.#overview.take(report, nodes));
    document.addEventListener('visibilitychange', this.#seen);
    onSubmit('find-rooms', () => this.#findRooms(element<HTMLInputElement>('room').value));
    onSubmit('find-sessions', () => this.#sessions.search(element<HTMLInputElement>('session').value));
  }

  begin(): void {
    element('enter').hidden = true;
    element('panel').hidden = false;
    element('leave').hidden = false;
    say('status', `Connected by ${this.#socket.connection.transport}.`);
    this.#timer ??= setInterval(() => this.#overview.show(), lookMs);
    this.#seen();
    this.#sessions.search(element<HTMLInputElement>('session').value);
    this.#askProblems();
  }

  pause(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  end(): void {
    this.isOver = true;
    this.pause();
    document.removeEventListener('visibilitychange', this.#seen);
    this.#socket.connection.close();
  }

  /** Nobody works for a page that nobody sees. */
  readonly #seen = (): void => {
    if (!this.#socket.connected) return;
    if (document.visibilityState === 'hidden') {
      this.pause();
      this.#socket.emit('look-away');
      return;
    }
    this.#timer ??= setInterval(() => this.#overview.show(), lookMs);
    this.#socket.emitWithAck('look').then(({ isReadOnly }) => {
      this.#sessions.isReadOnly = isReadOnly;
    }, failed);
  };

  #findRooms(search: string): void {
    this.#overview.isSearchingRooms = search !== '';
    if (search === '') {
      this.#overview.show();
      return;
    }
    this.#asking
      .ask({ what: 'rooms', search }, (answers, missing) => {
        if (!this.#overview.isSearchingRooms) return;
        showRooms([...answers.values()], problemsShown);
        if (missing.length > 0) say('rooms-rest', silentText(missing));
      })
      .catch(failed);
  }

  #askProblems(): void {
    if (!this.#socket.connected) return;
    this.#asking
      .ask({ what: 'problems' }, (answers, missing) => {
        const all = [...answers].flatMap(([node, problems]) => problems.map((problem) => ({ node, problem })));
        showProblems(all);
        const silent = missing.length > 0 ? silentText(missing) : '';
        say('problems-rest', all.length === 0 ? `There are none. ${silent}`.trim() : silent);
      })
      .catch(failed);
  }
}

function showProblems(all: { readonly node: string; readonly problem: Problem }[]): void {
  all.sort((a, b) => b.problem.at - a.problem.at);
  fill(
    'problems',
    all.slice(0, problemsShown).map(({ node, problem: { level, code, message, count: times, at } }) => ({
      key: JSON.stringify([node, level, code, message]),
      cells: [
        time(at),
        level === 'error' ? { text: level, kind: 'bad' as const } : level,
        ...[code, message],
        number(count(times)),
        node,
      ],
    })),
  );
}

function failed(error: unknown): void {
  say('status', error instanceof Error ? error.message : String(error));
}

function onSubmit(id: string, run: () => void): void {
  element(id).onsubmit = (event) => {
    event.preventDefault();
    run();
  };
}

onSubmit('enter', () => {
  const password = element<HTMLInputElement>('password').value;
  if (element<HTMLInputElement>('keep').checked) sessionStorage.setItem(keptAs, password);
  say('refusal', '');
  enter(password);
});
element('leave').onclick = leave;
// What is scrolled can be scrolled by the keyboard.
for (const wide of document.querySelectorAll<HTMLElement>('.wide')) {
  wide.tabIndex = 0;
  wide.role = 'group';
  wide.ariaLabel = wide.closest('section')?.querySelector('h2')?.textContent ?? '';
}

const kept = sessionStorage.getItem(keptAs);
if (kept !== null) enter(kept);
// A guard may know by the cookies of the page who it is.
else if (door === 'guard') enter('');
else ask('');
