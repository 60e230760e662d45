// A process that emits and is gone, of what was built: `<options, as JSON> <text>`.
import { Emitter } from '@halyard/adapter-redis';

const [options, text] = process.argv.slice(2);
const emitter = new Emitter(JSON.parse(options));
emitter.to('room').emit('said', `${text} 1`);
await emitter.to('room').emitDurable('said', `${text} 2`);
emitter.to('room').emit('said', `${text} 3`);
await emitter.close();
