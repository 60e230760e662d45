// A Node program with the built client and nothing else to do, for program.test.ts: it says what happens to it, and leaves
// when it is told to. Arguments: the URL, the transport, what becomes of its timers, and the globals it does without.
import { connect, polling, websocket } from '@halyard/client';

const [, , url, transport, time, ...without] = process.argv;
// Node's own classes need some of them when they are loaded, which is when they are first used.
new Response();
for (const name of without) delete globalThis[name];

/** How fast `fast` is: as anybody's, until this program leaves, so that a machine with much else to do has time to connect. */
let speed = 1;
let leftAt = 0;

/** Twenty times as fast as it leaves, or so that nothing that takes longer than ten tries ever ends. */
const clocks = {
  fast: { now: () => leftAt + (Date.now() - leftAt) * speed, after: (delayMs, run) => timer(delayMs / speed, run) },
  patient: { now: () => Date.now(), after: (delayMs, run) => timer(delayMs < 5_000 ? delayMs : 2 ** 31 - 1, run) },
};

function timer(delayMs, run) {
  const id = setTimeout(run, delayMs);
  return () => clearTimeout(id);
}

const transports = [transport === 'polling' ? polling() : websocket()];
const socket = connect(url, { transports, clock: clocks[time] });
socket.on('connect', () => console.log(`connected over ${socket.connection.transport}`));
socket.on('connect_error', ({ message }) => {
  console.log(message);
  socket.disconnect();
});
socket.on('double', (n) => n * 2);
socket.on('leave', (...last) => {
  leftAt = Date.now();
  speed = 20;
  for (const word of last) socket.emit('last', word);
  socket.disconnect();
});
