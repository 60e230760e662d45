// The host of who names none.
import { HalyardError } from '@halyard/protocol';
import type { HostFactory } from './host';
import { node } from './node';
import { uws } from './uws';

/** uWebSockets.js if it loads; else node, which says so once. */
export const uwsOrNode: HostFactory = async (...surroundings) => {
  try {
    return await uws()(...surroundings);
  } catch (error) {
    if (!(error instanceof HalyardError) || error.code !== 'ERR_UWS_NOT_LOADED') throw error;
    console.warn(`Halyard runs on node:http and ws, because ${error.message}`);
    return node()(...surroundings);
  }
};
