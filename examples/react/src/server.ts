import { handleSignals } from '@halyard/server';
import { notesServer } from './notes';

const io = notesServer(new URL('page/', import.meta.url));
await io.listen(Number(process.env.PORT ?? 3000));
console.log(`Notes: http://localhost:${io.port}`);
handleSignals(io);
