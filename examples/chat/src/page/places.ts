// The side of the page: the rooms, and who is in the current one.
import type { Chat } from './chat';
import { find, make } from './dom';
import { face } from './face';

const rooms = find('rooms');
const people = find('people');

/** Rooms we are in first; then the others, to be joined. */
export function showRooms(chat: Chat): void {
  const sizes = new Map(chat.summaries.map(({ name, people }) => [name, people]));
  const others = [...sizes.keys()].filter((name) => !chat.rooms.has(name)).sort();
  const mine = [...chat.rooms.values()].map(({ name, unread }) => roomItem(chat, name, sizes.get(name), unread));
  rooms.replaceChildren(...mine, ...others.map((name) => roomItem(chat, name, sizes.get(name), undefined)));
}

/** @param unread undefined in a room we are not in */
function roomItem(chat: Chat, name: string, size: number | undefined, unread: number | undefined): HTMLElement {
  const button = make('button', { className: 'room' }, make('span', { className: 'label', dir: 'auto' }, name));
  button.onclick = () => chat.open(name);
  if (name === chat.current.name) button.ariaCurrent = 'true';
  if (unread === undefined) {
    button.classList.add('other');
    button.append(make('span', { className: 'hint' }, `Join · ${size ?? 0}`));
  } else if (unread > 0)
    button.append(make('span', { className: 'unread', ariaLabel: `${unread} unread` }, `${unread}`));
  return make('li', {}, button);
}

export function showPeople(chat: Chat): void {
  const list = [...chat.current.people].sort((a, b) => Number(a.away) - Number(b.away) || a.name.localeCompare(b.name));
  people.replaceChildren(
    ...list.map(({ id, name, away }) => {
      const item = make('li', {}, face(name), make('span', { className: 'label', dir: 'auto' }, name));
      if (id === chat.id) item.append(make('span', { className: 'hint' }, 'you'));
      if (away) {
        item.className = 'away';
        item.append(make('span', { className: 'hint' }, 'away'));
      }
      return item;
    }),
  );
}
