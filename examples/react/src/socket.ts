// One socket for all components, made once: no component owns it.
import { connect } from '@halyard/client';
import type { ClientToServer, ServerToClient } from './events';

/** It connects when a component wants it to: see `useConnection`. */
export const socket = connect<ServerToClient, ClientToServer>('/', { autoConnect: false });
