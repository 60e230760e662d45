// The page a program runs in, if it runs in one.

/** @returns the origin of the page, which is its own server's; of `about:blank` and `data:` pages, which have none, nothing can be relative to it */
export const pageOrigin = (): string | undefined => globalThis.location?.origin?.replace(/^null/, 'data:');

/** @returns whether `run` is called later: once the page is shown that a browser makes before anybody has asked for it */
export const isLater = (run: () => void): boolean => {
  const page = globalThis.document as (Document & { prerendering?: boolean }) | undefined;
  if (!page?.prerendering) return false;
  page.addEventListener('prerenderingchange', run, { once: true });
  return true;
};
