// Sessions that were searched for, and one that is looked into.
import type { Few, SessionDetails, SessionRow } from '../base/said';
import type { Asking, ByNode, Tell } from './asking';
import { element, fill, fillTerms, say } from './html';
import { number, restOf, silentText } from './overview';
import { bytes, count, rest, time } from './words';

const sessionsShown = 200;

export class SessionsPart {
  readonly #asking: Asking;
  readonly #failed: (error: unknown) => void;
  #shown = '';
  /** Searches that were made: what comes of an earlier one is late. */
  #searches = 0;

  /** @param failed told of what a server says against a question */
  constructor(asking: Asking, failed: (error: unknown) => void) {
    this.#asking = asking;
    this.#failed = failed;
    const sure = element<HTMLDialogElement>('sure');
    element('again').onclick = () => this.look(this.#shown);
    element('close').onclick = () => this.#close();
    element('end').onclick = () => {
      say('sure-id', this.#shown);
      sure.showModal();
    };
    element('sure-no').onclick = () => sure.close();
    element('sure-yes').onclick = () => {
      sure.close();
      this.#end(this.#shown);
    };
  }

  /** Whether sessions may be looked at alone. */
  set isReadOnly(isReadOnly: boolean) {
    element('end').hidden = isReadOnly;
  }

  search(text: string): void {
    const search = ++this.#searches;
    const tell = (answers: ByNode<'sessions'>, missing: readonly string[]): void => {
      if (search === this.#searches) this.#list(answers, missing);
    };
    this.#asking.ask({ what: 'sessions', search: text }, tell).catch(this.#failed);
  }

  readonly look = (id: string): void => {
    const isOther = this.#shown !== id;
    this.#shown = id;
    const details = element('details');
    details.hidden = false;
    say('details-title', `Session ${id}`);
    if (isOther) {
      this.#show(undefined, '');
      say('details-note', 'Asking …');
      element('details-title').focus();
    }
    const tell: Tell<'session'> = (answers, missing, isLast) => {
      if (this.#shown !== id) return;
      const [node, session] = [...answers].find(([, answer]) => answer !== null) ?? [];
      if (session) {
        this.#show(session, node ?? '');
        say('details-note', '');
      } else if (isLast) {
        this.#show(undefined, '');
        say(
          'details-note',
          missing.length > 0 ? `${silentText(missing)} No other has it.` : 'It is not there any more.',
        );
      }
    };
    this.#asking.ask({ what: 'session', id }, tell).catch(this.#failed);
  };

  #close(): void {
    this.#shown = '';
    element('details').hidden = true;
    element('session').focus();
  }

  #end(id: string): void {
    const tell: Tell<'end'> = (answers, missing, isLast) => {
      if (this.#shown !== id) return;
      const isOver = [...answers.values()].includes(true);
      const without = missing.length > 0 ? silentText(missing) : 'It was not there any more.';
      say('details-note', isOver ? 'It is disconnected.' : isLast ? without : 'Disconnecting …');
    };
    this.#asking.ask({ what: 'end', id }, tell).catch(this.#failed);
  }

  #list(answers: ByNode<'sessions'>, missing: readonly string[]): void {
    const lists: Few<SessionRow>[] = [...answers.values()];
    const rows = [...answers].flatMap(([node, { rows }]) => rows.map((session) => ({ node, session })));
    fill(
      'sessions',
      rows.slice(0, sessionsShown).map(({ node, session }) => {
        const { id, description, state, transport, address, since, sockets, bufferedBytes } = session;
        return {
          key: id,
          cells: [
            { text: id, press: () => this.look(id) },
            ...[description, state, transport, address, time(since)],
            number(count(sockets)),
            number(bytes(bufferedBytes)),
            node,
          ],
        };
      }),
    );
    const cut = rows.length > sessionsShown ? rest(rows.length - sessionsShown, false) : '';
    const silent = missing.length > 0 ? silentText(missing) : '';
    const none = rows.length === 0 && missing.length === 0 ? 'There are none.' : '';
    say('sessions-rest', [none, cut, restOf(lists), silent].filter((text) => text !== '').join(' '));
  }

  #show(session: SessionDetails | undefined, node: string): void {
    if (session === undefined) {
      fillTerms('facts', []);
      fill('sockets', []);
      say('sockets-rest', '');
      return;
    }
    const { state, transport, codec, address, client, since, description, connection, socketList } = session;
    fillTerms('facts', [
      ['Description', description],
      ['State', state],
      ['Server', node],
      ['Transport', transport === '' ? '' : `${transport}, connection ${connection}`],
      ['Codec', codec],
      ['Address', address],
      ['Client', client],
      ['Since', time(since)],
      ['Waits to be read', bytes(session.bufferedBytes)],
      ['Not confirmed', `${count(session.outboxPackets)} packets, ${bytes(session.outboxBytes)}`],
    ]);
    fill(
      'sockets',
      socketList.rows.map((socket) => ({
        key: socket.id,
        cells: [
          ...[socket.id, socket.namespace, socket.description, time(socket.since)],
          [...socket.rooms.rows, rest(socket.rooms.others, false)].filter((text) => text !== '').join(', '),
        ],
      })),
    );
    say('sockets-rest', restOf([socketList]));
  }
}
