// What a test of an app uses: a world to put its servers and clients in.
export type { TransportName } from './client-place';
export type { Leftovers } from './ending';
export type {
  AnyServer,
  CutOptions,
  DurationMs,
  LoseOptions,
  NetworkOptions,
  NoticedBy,
  OfflineOptions,
  RequestFaultOptions,
  SimulateOptions,
  UntilOptions,
  WorldClientOptions,
  WorldConnectOptions,
  WorldServerOptions,
} from './options';
export type { Client } from './roster';
export { simulate, type World } from './world';
