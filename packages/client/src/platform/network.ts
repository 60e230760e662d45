// What the platform tells about the network and the page. Only browsers tell anything.

const names = ['online', 'offline', 'pagehide', 'pageshow', 'visibilitychange', 'resume'];

/** @returns a function that stops watching */
export function watchNetwork(handle: (event: { type: string; persisted?: boolean }) => void): () => void {
  const each = (change: 'addEventListener' | 'removeEventListener') => {
    // Captured: some are told to the document and do not bubble.
    for (const name of names) globalThis[change]?.(name, handle, true);
  };
  each('addEventListener');
  return () => each('removeEventListener');
}

/** Whether somebody may look at the page, if there is one. */
export const isVisible = (): boolean => !globalThis.document?.hidden;
