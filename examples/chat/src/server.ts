// The chat on one server.
import { handleSignals } from '@halyard/server';
import { chatServer } from './chat';

const io = chatServer();
const port = Number(process.env.PORT ?? 3000);
try {
  await io.listen(port);
} catch (error) {
  console.error(`The chat cannot use port ${process.env.PORT ?? port}: ${(error as Error).message}`);
  console.error('Perhaps another program has it. Choose another one: PORT=3001 npm run demo');
  process.exit(1);
}
console.log(`Halyard chat: http://localhost:${io.port}`);

handleSignals(io);
