// Where what happens is told, in programs that have not asked: nowhere, until `@halyard/client/debug` is imported.
import type { Debug } from './debug';

export const debug: Debug = {};
