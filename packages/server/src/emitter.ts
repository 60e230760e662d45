// For the package of an engine: what a process emits that serves nobody, without hosts and transports.
export { Emitter, type EmitterOptions } from './api/emitter';
export { type StoreContext, storeVersion } from './store/store';
