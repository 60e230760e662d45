// What the simulator of Halyard itself shares with the testkit: one network. Not for apps, and not published.
export { LossyHttp, type Path } from './network/lossy-http';
export { MemoryNetwork } from './network/memory-network';
