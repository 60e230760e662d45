// Where one server is in the network: the host it listens on, its time, and whether it is still there.
import type {
  Adapter,
  Host,
  HostFactory,
  HostHandlers,
  HostLimits,
  RequestFacts,
  StreamableReply,
} from '@halyard/server';
import type { OwnTime } from './own-time';

/** `stopped`: it was closed, and says so. `killed`: it was switched off, and says nothing. */
export type ServerState = 'starting' | 'listening' | 'stopped' | 'killed';

export class ServerPlace {
  readonly name: string;
  readonly time: OwnTime;
  state: ServerState = 'starting';
  #handlers: HostHandlers | undefined;
  #limits: HostLimits | undefined;

  constructor(name: string, time: OwnTime) {
    this.name = name;
    this.time = time;
  }

  /** Whether connections are taken: who comes while it starts finds it started. */
  get isThere(): boolean {
    return this.state === 'starting' || this.state === 'listening';
  }

  readonly host: HostFactory = async (_path, handlers, limits): Promise<Host> => {
    this.#handlers = handlers;
    this.#limits = limits;
    return {
      name: 'memory',
      gathersInMessage: false,
      listen: async (port) => {
        this.state = 'listening';
        return port;
      },
      stopListening: () => {
        if (this.isThere) this.state = 'stopped';
      },
      // What it has said before still arrives: nothing is cut.
      close: async () => {},
    };
  };

  /** What a network in memory hands its requests to. */
  readonly handlers: HostHandlers = {
    upgrade: (request) => (this.isThere && this.#handlers?.upgrade(request)) || { refuse: { status: 503 } },
    request: (request, body, reply) => this.#request(request, body, reply),
    refusal: (_request, answer) => answer,
  };

  #request(request: RequestFacts, body: Uint8Array, reply: StreamableReply): void {
    if (this.state === 'killed') return;
    if (!this.isThere || this.#handlers === undefined || this.#limits === undefined) reply.send({ status: 503 });
    else if (body.length > this.#limits.httpBodyBytesMax) reply.send({ status: 413 });
    else this.#handlers.request(request, body, reply);
  }
}

/** A store that several servers share goes on when the one it was first given to is killed. */
export function outliving(adapter: Adapter, time: OwnTime): Adapter {
  return (context) => adapter({ ...context, platform: time });
}
