// What components need of a socket. React may run an effect, undo it and run it again: none of these minds.
import type { EventName, Listener, ReservedEvent } from '@halyard/client';
import { useEffect, useEffectEvent, useSyncExternalStore } from 'react';
import type { ServerToClient } from './events';
import { socket } from './socket';

/** Components that are there and want it connected. */
let users = 0;

/** Connects while any component is there that says this. @returns whether the socket is connected */
export function useConnection(): boolean {
  useEffect(() => {
    users++;
    socket.connect();
    return () => {
      users--;
      // In the next turn: what others say as they go still leaves, and who comes in this one goes on.
      setTimeout(() => {
        if (users === 0) socket.disconnect();
      });
    };
  }, []);
  return useSyncExternalStore(watchConnected, isConnected, isNotOnServers);
}

/** Hears an event while the component is there, with the handler of its last render. */
export function useEvent<Name extends EventName<ServerToClient> | ReservedEvent>(
  event: Name,
  handler: Listener<ServerToClient, Name>,
): void {
  const latest = useEffectEvent(handler as (...args: unknown[]) => void);
  useEffect(() => {
    const listener = ((...args: unknown[]) => latest(...args)) as Listener<ServerToClient, Name>;
    socket.on(event, listener);
    return () => void socket.off(event, listener);
  }, [event]);
}

const isConnected = (): boolean => socket.connected;
const isNotOnServers = (): boolean => false;

function watchConnected(changed: () => void): () => void {
  socket.on('connect', changed);
  socket.on('disconnect', changed);
  return () => {
    socket.off('connect', changed);
    socket.off('disconnect', changed);
  };
}
