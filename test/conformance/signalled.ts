// A process of its own that is told to stop: `busy` is in a handler that never ends, and `fails` cannot close something.
import { handleSignals, node, Server } from '@halyard/server';

const [how] = process.argv.slice(2);
const io = new Server({ host: node() });
io.on('connection', (socket) => {
  socket.on('ask', () => {
    console.log('asked');
    return new Promise<never>(() => {});
  });
});
handleSignals(
  {
    close: (options) => {
      console.log('stopping');
      return io.close(options);
    },
  },
  {
    drainMs: 600_000,
    afterwards: () => {
      if (how === 'fails') throw new Error('the database is gone');
      console.log('closed');
    },
  },
);
await io.listen(0, '127.0.0.1');
console.log(`listening on ${io.port}`);
