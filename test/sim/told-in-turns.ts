// A check of both plays: a client is told in turns that it is connected and that it is not.
import type { Socket } from '@halyard/client/core';
import { Broken } from './model';

/** @param broken is called if it is told one of them twice in a row */
export function watchTurns(name: string, socket: Socket, broken: (error: Broken) => void): void {
  let isUp = false;
  const turns = (up: boolean): void => {
    if (isUp === up)
      broken(new Broken(`${name}${socket.namespace} is told twice in a row whether it is connected: ${up}`));
    isUp = up;
  };
  socket.on('disconnect', () => turns(false));
  socket.on('connect', () => turns(true));
}
