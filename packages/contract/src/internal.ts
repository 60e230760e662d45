// What Halyard's server, client and command do with a contract. Not for apps: it is outside the promise of version numbers, and packages
// that import it are released together with this one.
export { Checks, type Side } from './checks';
export { isContract } from './contract';
export { kindOf } from './schema';
