// What the platform tells about the network and the page. Only browsers tell anything.

const names = ['online', 'offline', 'pagehide', 'pageshow', 'visibilitychange', 'resume'];

/** @returns a function that stops watching */
export function watchNetwork(handle: (event: { type: string; persisted?: boolean }) => void): () => void {
  // Captured: some are told to the document and do not bubble.
  for (const name of names) globalThis.addEventListener?.(name, handle, true);
  return () => {
    for (const name of names) globalThis.removeEventListener?.(name, handle, true);
  };
}

/** Whether somebody may look at the page, if there is one. */
export const isVisible = (): boolean => !globalThis.document?.hidden;
