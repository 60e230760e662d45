// When a socket is connected, or will not be.
import type { Socket } from '@halyard/client';
import { LocalUsageError } from '@halyard/protocol';

/** Rejects with LocalUsageError `ERR_NOT_CONNECTED` if it is not connected in time, or is not tried again. */
export function entered(socket: Socket, waitMs: number): Promise<void> {
  if (socket.connected) return Promise.resolve();
  return new Promise((resolve, reject) => {
    const settle = (error?: Error): void => {
      // It is tried again by itself.
      if (error !== undefined && socket.active) return;
      clearTimeout(limit);
      socket.off('connect', onConnect).off('connect_error', settle);
      if (error === undefined) resolve();
      else reject(refused);
    };
    const onConnect = (): void => settle();
    const refused = new LocalUsageError(
      'ERR_NOT_CONNECTED',
      `${socket.namespace} is not connected, and not tried again.`,
    );
    const limit = setTimeout(() => {
      socket.off('connect', onConnect).off('connect_error', settle);
      const message = `${socket.namespace} is not connected within ${waitMs / 1_000} seconds.`;
      reject(new LocalUsageError('ERR_NOT_CONNECTED', message));
    }, waitMs);
    socket.on('connect', onConnect).on('connect_error', settle);
  });
}
