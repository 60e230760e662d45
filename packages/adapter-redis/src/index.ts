export { Emitter, type EmitterOptions } from './emitter';
export { type RedisOptions, redis } from './redis';
