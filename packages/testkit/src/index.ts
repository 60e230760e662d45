// What a test of an app uses: a world to put its servers and clients in.
export type { TransportName } from './client-place';
export type {
  AnyServer,
  CutOptions,
  DurationMs,
  LoseOptions,
  NetworkOptions,
  OfflineOptions,
  RequestFaultOptions,
  SimulateOptions,
  UntilOptions,
  WorldClientOptions,
  WorldConnectOptions,
  WorldServerOptions,
} from './options';
export { type Client, type Leftovers, simulate, type World } from './world';
