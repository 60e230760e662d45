// The server that is attacked: small limits, so that they are met, and an app that says something to everybody all the time.
import { type HostFactory, PublicError, Server, type ServerOptions } from '@halyard/server';
import { hasAddresses } from './attacker';

export const attackedOptions: ServerOptions = {
  helloTimeoutMs: 8_000,
  heartbeatMs: 5_000,
  heartbeatTimeoutMs: 5_000,
  recoveryWindowMs: 2_000,
  pollHoldMs: 5_000,
  ackTimeoutMs: 2_000,
  frameBytesMax: 131_072,
  httpBodyBytesMax: 524_288,
  backpressureBytesMax: 262_144,
  outboxPacketsMax: 2_048,
  outboxBytesMax: 1 << 20,
  windowPacketsMax: 1_024,
  waitingPacketsMax: 64,
  waitingBytesMax: 65_536,
  roomsPerSocketMax: 64,
  namespacesPerSessionMax: 16,
  dynamicNamespacesMax: 64,
  dynamicNamespacesPerSessionMax: 8,
  connectionsPerAddressMax: hasAddresses ? 4 : 100_000,
  opensPerAddressPerSecondMax: hasAddresses ? 1 : 100_000,
  perMessageDeflate: true,
};

const onPurpose = new Error('the app fails on purpose');

export interface Attacked {
  readonly io: Server;
  close(): Promise<void>;
}

/** @param newsMs how often everybody who is in the room hears something. @param told what the server's `error` event tells of, but for what the app fails in on purpose: there must be nothing */
export async function attacked(host: HostFactory, newsMs: number, told: (error: string) => void): Promise<Attacked> {
  const io = new Server({ host, ...attackedOptions });
  io.on('error', (error, { where }) => {
    if (error !== onPurpose) told(`${where}: ${error instanceof Error ? error.message : error}`);
  });
  // They are expected here.
  io.on('warning', () => {});
  let news = 0;
  io.on('connection', (socket) => {
    let counted = 0;
    socket.on('echo', (value: unknown) => value);
    socket.on('count', (number: number) => {
      if (number !== counted + 1) throw new PublicError('ERR_COUNT', `${number} came behind ${counted}.`);
      counted = number;
      return number;
    });
    socket.on('listen', () => {
      socket.emit('listening', news);
      socket.join('listeners');
    });
    socket.on('news', () => news);
    socket.on('join', (room: string) => {
      try {
        socket.join(room);
      } catch {
        throw new PublicError('ERR_ROOMS', 'There are too many of them.');
      }
    });
    socket.on('fail', () => {
      throw onPurpose;
    });
    socket.on('flood', (bytes: number, times: number) => {
      for (let i = 0; i < times; i++) socket.emit('flooded', 'x'.repeat(bytes));
    });
    socket.on('ask', async () => {
      try {
        return await socket.emitWithAck('question');
      } catch {
        throw new PublicError('ERR_UNANSWERED', 'The question was not answered.');
      }
    });
  });
  io.of('/undecided').use(() => new Promise(() => {}));
  io.of(/^\/made\/\d+$/);
  io.of('/other');
  await io.listen(0, '127.0.0.1');
  const timer = setInterval(() => io.to('listeners').emit('news', ++news), newsMs);
  return {
    io,
    async close() {
      clearInterval(timer);
      await io.close();
    },
  };
}
