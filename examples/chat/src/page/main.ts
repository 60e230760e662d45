// The page: puts the chat and its views together.
import { limits, lobby, nameFrom, rules, textFrom } from '../rules';
import { Chat, type State, type View } from './chat';
import { find } from './dom';
import { appendMessage, showDrafts, showMessages } from './messages';
import { showPeople, showRooms } from './places';

const stateNames: Record<State, string> = {
  connecting: 'Connecting…',
  connected: 'Connected',
  'new-session': 'New session',
  reconnecting: 'Reconnecting…',
  offline: 'Offline',
  closed: 'Disconnected',
};
const transportNames = new Map([
  ['websocket', 'WebSocket'],
  ['sse', 'SSE'],
  ['polling', 'Polling'],
]);
const nameKey = 'halyard-chat-name';

const enter = find<HTMLFormElement>('enter');
const nameField = fieldOf(enter, 'name', limits.nameCharsMax);
const roomField = fieldOf(enter, 'room', limits.roomCharsMax);
const newRoom = find<HTMLFormElement>('new-room');
const newRoomField = fieldOf(newRoom, 'room', limits.roomCharsMax);
const composer = find<HTMLFormElement>('composer');
const textField = fieldOf(composer, 'text', limits.textCharsMax);

nameField.value = localStorage.getItem(nameKey) ?? '';
roomField.value = roomFromAddress() ?? lobby;
nameField.focus();

enter.onsubmit = (event) => {
  event.preventDefault();
  const name = nameFrom(nameField.value, limits.nameCharsMax);
  const room = nameFrom(roomField.value, limits.roomCharsMax);
  if (name === undefined) return view.refuse(rules.name);
  if (room === undefined) return view.refuse(rules.room);
  localStorage.setItem(nameKey, name);
  start(name, room);
};

function start(name: string, room: string): void {
  const chat = new Chat(name, room, view);
  view.showRoom(chat);
  chat.showStatus();
  window.ononline = window.onoffline = () => chat.showStatus();
  window.onhashchange = () => {
    const wanted = roomFromAddress();
    if (wanted !== undefined && wanted !== chat.current.name) chat.open(wanted);
  };
  document.onvisibilitychange = () => {
    if (!document.hidden) chat.read();
  };
  composer.onsubmit = (event) => {
    event.preventDefault();
    const text = textFrom(textField.value);
    if (text === undefined) return;
    composer.reset();
    chat.send(text);
  };
  textField.oninput = () => chat.typing(textFrom(textField.value) !== undefined);
  textField.onkeydown = (event) => {
    if (event.key !== 'Enter' || event.shiftKey || event.isComposing) return;
    event.preventDefault();
    composer.requestSubmit();
  };
  newRoom.onsubmit = (event) => {
    event.preventDefault();
    const wanted = nameFrom(newRoomField.value, limits.roomCharsMax);
    newRoom.reset();
    if (wanted !== undefined) chat.open(wanted);
  };
  find('leave').onclick = () => chat.leave();
  find('kill').onclick = () => chat.killNode();
  find('reconnect').onclick = () => chat.reconnect();
}

const view: View = {
  showStatus(state, transport) {
    const status = find('status');
    status.dataset.state = state;
    status.dataset.transport = transport ?? '';
    find('state').textContent = stateNames[state];
    find('transport').textContent = transportNames.get(transport ?? '') ?? '';
    find('transport').hidden = transport === undefined;
    find('reconnect').hidden = state !== 'closed';
  },
  showRoom(chat) {
    showDoor(false);
    warn(undefined);
    const { name } = chat.current;
    location.hash = encodeURIComponent(name);
    find('room-name').textContent = name;
    textField.placeholder = `Message ${name}`;
    textField.ariaLabel = `Message to ${name}`;
    showMessages(chat);
    view.showRooms(chat);
    view.showPeople(chat);
    view.showTyping(chat);
    openSide(false);
    textField.focus();
  },
  showRooms(chat) {
    showRooms(chat);
    find('leave').hidden = chat.rooms.size < 2;
    const unread = [...chat.rooms.values()].reduce((sum, room) => sum + room.unread, 0);
    document.title = `${unread > 0 ? `(${unread}) ` : ''}${chat.current.name} · Halyard chat`;
  },
  showPeople(chat) {
    showPeople(chat);
    const { length } = chat.current.people;
    find('room-size').textContent = length === 1 ? 'only you' : `${length} people`;
  },
  showTyping({ typists }) {
    const [first, second, third] = typists;
    let text = '';
    if (third !== undefined) text = 'Several people are typing…';
    else if (second !== undefined) text = `${first} and ${second} are typing…`;
    else if (first !== undefined) text = `${first} is typing…`;
    find('typing').textContent = text;
  },
  showDrafts,
  append: appendMessage,
  refuse(problem) {
    showDoor(true);
    find('refusal').textContent = problem;
    find('refusal').hidden = false;
  },
  warn,
  showNode(name) {
    find('node').hidden = false;
    find('node-name').textContent = name;
  },
};

find('menu').onclick = () => openSide(!isSideOpen());
document.onkeydown = ({ key }) => {
  if (key !== 'Escape' || !isSideOpen()) return;
  openSide(false);
  find('menu').focus();
};

function warn(problem: string | undefined): void {
  find('warning').textContent = problem ?? '';
  find('warning').hidden = problem === undefined;
}

function showDoor(shown: boolean): void {
  find('door').hidden = !shown;
  find('chat').hidden = shown;
}

function openSide(open: boolean): void {
  find('chat').classList.toggle('side-open', open);
  find('menu').ariaExpanded = `${open}`;
}

function isSideOpen(): boolean {
  return find('chat').classList.contains('side-open');
}

function roomFromAddress(): string | undefined {
  try {
    return nameFrom(decodeURIComponent(location.hash.slice(1)), limits.roomCharsMax);
  } catch {
    return undefined;
  }
}

/** @returns a field of a form, which from now on takes no more than the server does */
function fieldOf(form: HTMLFormElement, name: string, charsMax: number): HTMLInputElement | HTMLTextAreaElement {
  const field = form.elements.namedItem(name) as HTMLInputElement | HTMLTextAreaElement;
  field.maxLength = charsMax;
  return field;
}
