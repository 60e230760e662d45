// The page a program runs in, if it runs in one.

/** @returns the origin of the page, which is its own server's; of `about:blank` and `data:` pages, which have none, nothing can be relative to it */
export const pageOrigin = (): string | undefined => globalThis.location?.origin.replace(/^null/, 'data:');
