// What went wrong at the bottom. Node wraps it, as in `fetch failed`; browsers tell nothing of it.

/** @returns the innermost cause; of several errors that of the first */
export function rootOf(error: unknown): unknown {
  const { cause, errors } = Object(error) as { cause?: unknown; errors?: unknown[] };
  const deeper = cause ?? errors?.[0];
  return deeper ? rootOf(deeper) : error;
}
