// The `fetch` of the platform, whichever it is at the time of the call.
export const fetch: typeof globalThis.fetch = (url, init) => globalThis.fetch(url, init);

/** @returns what went wrong, of which a browser tells no more */
export const rootOf = (error: unknown): unknown => error;
