// For browsers: what happens is told on the console, if `localStorage.debug` asks for it, as it does of the package `debug`:
// `localStorage.debug = 'halyard:*'`. An import of its own, so that pages without it do not load it. Node needs no import:
// `DEBUG=halyard:*` in the environment is enough.
import { debug } from '#debug';
import { createLog } from './platform/debug';

/** Reading it throws where a page may keep nothing. */
function wanted(): string | null | undefined {
  try {
    return globalThis.localStorage?.getItem('debug');
  } catch {
    return undefined;
  }
}

debug.log ??= createLog(wanted(), (name, line) => console.debug(`${name} ${line}`));
