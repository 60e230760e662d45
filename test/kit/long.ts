const { HALYARD_LONG } = process.env;

/** Whether this is `npm run test:long`: what takes too long for `npm test` runs too. */
export const isLong = HALYARD_LONG !== undefined;
