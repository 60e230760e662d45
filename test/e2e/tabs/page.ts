// A tab: what it hears is written down, and what it says is numbered.
import type { Socket } from '@halyard/client';
import { connectTab } from '@halyard/client/tabs';

export interface Heard {
  readonly numbers: number[];
  readonly told: string[];
}

declare global {
  interface Window {
    readonly socket: Socket;
    readonly heard: Heard;
    /** Says so many things under a name, in one go. */
    say(name: string, count: number): void;
  }
}

const heard: Heard = { numbers: [], told: [] };
const socket = connectTab(() => new SharedWorker('/worker.js', { type: 'module' }));
socket.on('number', (number: number) => void heard.numbers.push(number));
socket.on('connect', ({ recovered }) => void heard.told.push(`connect ${recovered}`));
socket.on('disconnect', ({ reason }) => void heard.told.push(`disconnect ${reason}`));
socket.on('error', (error) => void heard.told.push(`${error}`));

const say: Window['say'] = (name, count) => {
  for (let i = 0; i < count; i++) socket.emit('say', name, i);
};
Object.assign(window, { socket, heard, say });
