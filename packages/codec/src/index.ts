export type { Codec } from './codec';
