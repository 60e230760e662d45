// Who is in a world: its servers and its clients, and which of them a test means.
import { type ClientOptions, type Connection, LocalUsageError } from '@halyard/client';
import type { ClientPlace } from './client-place';
import type { AnyServer } from './options';
import type { ServerPlace } from './server-place';

/** A client: a socket of it, in whichever namespace, or the options that it was made with. */
export type Client = { readonly connection: Connection } | ClientOptions;

export class Roster {
  readonly clients: ClientPlace[] = [];
  readonly servers = new Map<AnyServer, ServerPlace>();
  /** Clients by their options, and those that are known by their connection. */
  readonly #places = new WeakMap<object, ClientPlace>();

  /** Where new connections go, unless a client is sent elsewhere. */
  readonly newest = (): ServerPlace | undefined => [...this.servers.values()].filter(({ isThere }) => isThere).at(-1);

  add(place: ClientPlace, options: ClientOptions): void {
    this.clients.push(place);
    this.#places.set(options, place);
  }

  /** A client has come of these options. */
  know({ connection }: { readonly connection: Connection }, options: ClientOptions): void {
    const place = this.#places.get(options) as ClientPlace;
    place.connection = connection;
    this.#places.set(connection, place);
  }

  /** @returns that client, or all. @throws LocalUsageError `ERR_CLIENT_UNKNOWN` */
  meant(client: Client | undefined): readonly ClientPlace[] {
    if (client === undefined) return this.clients;
    const isOne = typeof client === 'object' && client !== null;
    const place = isOne && this.#places.get('connection' in client ? client.connection : client);
    if (place) return [place];
    throw new LocalUsageError(
      'ERR_CLIENT_UNKNOWN',
      'This client is not of this world: it takes a socket that connect() has made, or what clientOptions() has.',
    );
  }

  /** @throws LocalUsageError `ERR_SERVER_UNKNOWN` */
  placeOf(io: AnyServer): ServerPlace {
    const place = this.servers.get(io);
    if (place !== undefined) return place;
    throw new LocalUsageError('ERR_SERVER_UNKNOWN', 'This server is not of this world: server() makes those that are.');
  }

  /** @returns a line for each */
  describe(): string[] {
    const servers = [...this.servers].map(
      ([io, { name, state }]) => `${name}: ${state}, ${io.sockets.size} sockets in "/"`,
    );
    return [...servers, ...this.clients.map((place) => place.describe())];
  }
}
