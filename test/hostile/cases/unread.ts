// Connections that are opened and abandoned, and those whose peer reads nothing of what it has asked for.
import { request } from '../../conformance/raw';
import type { Way } from '../attacker';
import { type Case, told } from '../case';
import type { SseLine } from '../line';
import { opened } from './http';

/** Opens connections and abandons them; tells how many, and that another one is taken. */
function abandons(name: string, count: number, way: Way, stays: boolean): Case {
  return {
    name,
    over: [way],
    sees: '200',
    async play(attacker) {
      for (let i = 0; i < count; i++) {
        if (way === 'polling') await attacker.at('POST');
        else {
          const socket = await attacker.tcp();
          socket.write(request('GET /halyard', { Accept: 'text/event-stream' }));
          if (stays) await socket.until('the stream', () => socket.bytes.length > 0);
          else socket.cut();
        }
      }
      return told(await attacker.at('POST'));
    },
  };
}

export const unread: readonly Case[] = [
  abandons('100 connections by polling that are abandoned', 100, 'polling', false),
  abandons('100 streams that are abandoned', 100, 'sse', false),
  abandons('100 streams that say nothing', 100, 'sse', true),
  {
    name: 'a stream that nobody reads',
    over: ['sse'],
    sees: '200',
    async play(attacker) {
      const line = (await opened(attacker)) as SseLine;
      line.socket.pause();
      for (let i = 0; i < 12; i++) line.send('[2,"/","flood",[50000,20]]');
      await new Promise((resolve) => setTimeout(resolve, 300));
      return told(await attacker.at('POST'));
    },
  },
  {
    name: 'polls whose answers nobody reads',
    over: ['polling'],
    sees: '200',
    async play(attacker) {
      const { headers } = await attacker.at('POST');
      const own = { 'Halyard-Connection': headers['halyard-connection'] };
      await attacker.at('POST', { ...own, 'Halyard-Seq': '1' }, '[0]\n[2,"/","flood",[50000,16]]');
      for (let i = 0; i < 50; i++) {
        const socket = await attacker.tcp();
        socket.pause();
        socket.write(request('GET /halyard', { ...own, 'Halyard-Ack': '1' }));
      }
      return told(await attacker.at('POST'));
    },
  },
  {
    name: 'a WebSocket that nobody reads',
    over: ['websocket'],
    sees: '200',
    async play(attacker) {
      const socket = await attacker.websocket();
      await socket.hello();
      socket.pause();
      for (let i = 0; i < 12; i++) socket.send([2, '/', 'flood', [50_000, 20]]);
      await new Promise((resolve) => setTimeout(resolve, 300));
      return told(await attacker.at('POST'));
    },
  },
];
