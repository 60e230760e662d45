// What the platform tells about the network and the page. Only browsers tell anything.

const names = ['online', 'offline', 'pagehide', 'pageshow'];

/** @returns a function that stops watching */
export function watchNetwork(handle: (event: { type: string; persisted?: boolean }) => void): () => void {
  for (const name of names) globalThis.addEventListener?.(name, handle);
  return () => {
    for (const name of names) globalThis.removeEventListener?.(name, handle);
  };
}
