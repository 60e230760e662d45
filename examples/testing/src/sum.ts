import { simulate } from '@halyard/testkit';

const world = simulate();
const io = world.server();
io.on('connection', (socket) => socket.on('add', (a: number, b: number) => a + b));
const client = world.connect();
await world.until(() => client.connected);
world.cut(client);
console.log(await world.until(client.emitWithAck('add', 1, 2))); // 3
await world.close();
