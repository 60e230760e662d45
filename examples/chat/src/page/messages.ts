// The middle of the page: what was said in a room, and what is not sent yet.
import { type Chat, type Draft, type Entry, entriesMax } from './chat';
import { find, make } from './dom';
import { face } from './face';

/** Messages of one person in so short a time stand together. */
const togetherMs = 5 * 60_000;

const log = find('log');
const drafts = find('drafts');
const scroll = find('scroll');
const newer = find('newer');
let last: Entry | undefined;

newer.onclick = () => toEnd();
scroll.onscroll = () => {
  if (isAtEnd()) newer.hidden = true;
};

export function showMessages(chat: Chat): void {
  last = undefined;
  log.replaceChildren();
  for (const entry of chat.current.entries) add(entry, chat);
  showDrafts(chat);
  toEnd();
}

export function appendMessage(entry: Entry, chat: Chat): void {
  const stay = !isAtEnd();
  add(entry, chat);
  if (log.children.length > entriesMax) log.firstElementChild?.remove();
  if (stay) newer.hidden = false;
  else toEnd();
}

export function showDrafts(chat: Chat): void {
  const current = [...chat.current.drafts];
  const grew = current.length > drafts.children.length;
  drafts.replaceChildren(...current.map((draft) => draftItem(draft, chat)));
  if (grew) toEnd();
}

function add(entry: Entry, chat: Chat): void {
  log.append('kind' in entry ? noteItem(entry) : messageItem(entry, chat));
  last = entry;
}

function noteItem({ kind, text, at }: Extract<Entry, { kind: string }>): HTMLElement {
  return make('li', { className: `note ${kind}` }, make('span', {}, text), ' ', timeOf(at));
}

function messageItem(message: Extract<Entry, { text: string; name: string }>, chat: Chat): HTMLElement {
  const { from, name, text, at } = message;
  const follows = last !== undefined && !('kind' in last) && last.from === from && +at - +last.at < togetherMs;
  const item = make('li', { className: 'message' }, make('p', { className: 'text', dir: 'auto' }, text), timeOf(at));
  if (follows) item.classList.add('follows');
  else item.prepend(face(name), make('span', { className: 'name', dir: 'auto' }, name));
  if (chat.wrote(message)) item.classList.add('mine');
  return item;
}

function draftItem(draft: Draft, chat: Chat): HTMLElement {
  const { text, problem } = draft;
  const item = make('li', { className: 'message mine draft' }, make('p', { className: 'text', dir: 'auto' }, text));
  if (problem === undefined) {
    const fate = chat.isConnected ? 'Sending…' : 'Waits for the connection';
    item.append(make('span', { className: 'fate' }, fate));
  } else {
    item.classList.add('failed');
    const again = make('button', { className: 'quiet', onclick: () => chat.retry(draft) }, 'Send again');
    const discard = make('button', { className: 'quiet', onclick: () => chat.discard(draft) }, 'Discard');
    item.append(make('span', { className: 'fate' }, problem, again, discard));
  }
  return item;
}

function timeOf(at: Date): HTMLElement {
  const text = at.toLocaleTimeString([], { hour: '2-digit', minute: '2-digit' });
  return make('time', { dateTime: at.toISOString(), title: at.toLocaleString() }, text);
}

function isAtEnd(): boolean {
  return scroll.scrollHeight - scroll.scrollTop - scroll.clientHeight < 60;
}

function toEnd(): void {
  newer.hidden = true;
  scroll.scrollTop = scroll.scrollHeight;
}
