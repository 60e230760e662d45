export type { Codec } from './codec';
export { dataLimits } from './data';
