// The chance of real programs.
export const systemRandom = Math.random;
