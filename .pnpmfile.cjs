// What is packed is for those who install it: no path into sources, and nothing of how this workspace is built and tested.
const sourceCondition = '@halyard/source';

/** @returns a part of `exports` or `imports` without sources; undefined if nothing is left */
function withoutSources(part) {
  if (typeof part === 'string') return part;
  const kept = Object.entries(part)
    .filter(([key]) => key !== sourceCondition)
    .map(([key, value]) => [key, withoutSources(value)])
    .filter(([, value]) => value !== undefined);
  return kept.length > 0 ? Object.fromEntries(kept) : undefined;
}

module.exports = {
  hooks: {
    beforePacking({ exports, imports, sideEffects, scripts, devDependencies, ...manifest }) {
      return {
        ...manifest,
        sideEffects: Array.isArray(sideEffects)
          ? sideEffects.filter((path) => !path.startsWith('./src/'))
          : sideEffects,
        ...(exports && { exports: withoutSources(exports) }),
        ...(imports && { imports: withoutSources(imports) }),
      };
    },
  },
};
