// The page a program runs in, if it runs in one.

/** @returns the origin of the page, which is its own server's */
export const pageOrigin = (): string | undefined => globalThis.location?.origin;
