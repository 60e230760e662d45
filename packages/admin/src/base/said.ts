// What the page, `halyard tail` and the servers say to each other, in the namespace of the admin: docs/ADMIN.md has it for those who
// write another page.

/** The first of many. */
export interface Few<Row> {
  readonly rows: readonly Row[];
  /** How many more there are that were asked for, as far as was looked. */
  readonly others: number;
  /** Whether there was no time to look at all of them. */
  readonly isPartial: boolean;
}

export interface NamespaceRow {
  readonly name: string;
  readonly sockets: number;
  readonly rooms: number;
}

export interface RoomRow {
  readonly namespace: string;
  readonly room: string;
  readonly members: number;
}

export interface SessionRow {
  readonly id: string;
  readonly state: string;
  /** Empty while it is away. */
  readonly transport: string;
  readonly codec: string;
  readonly address: string;
  /** Of its client, as that says. */
  readonly client: string;
  /** When its oldest socket was asked for, in milliseconds since 1970; 0 without sockets. */
  readonly since: number;
  readonly sockets: number;
  readonly bufferedBytes: number;
  /** What the option `describe` says of its sockets. */
  readonly description: string;
}

export interface SocketRow {
  readonly id: string;
  readonly namespace: string;
  readonly since: number;
  readonly rooms: Few<string>;
  readonly description: string;
}

export interface SessionDetails extends SessionRow {
  /** Number of its connection on its server; 0 while it is away. */
  readonly connection: number;
  readonly outboxPackets: number;
  readonly outboxBytes: number;
  readonly socketList: Few<SocketRow>;
}

/** Something that went wrong: each kind once. */
export interface Problem {
  readonly level: string;
  readonly code: string;
  readonly message: string;
  /** How often it has happened. */
  readonly count: number;
  /** When it was last, in milliseconds since 1970. */
  readonly at: number;
}

/** A server, as it is. Rates are since the report before. */
export interface Report {
  readonly node: string;
  readonly host: string;
  readonly pid: number;
  readonly upSeconds: number;
  readonly isReady: boolean;
  readonly isDraining: boolean;
  /** Why it is not ready. */
  readonly reasons: readonly string[];
  /** Of the store that servers share; empty without one. */
  readonly store: string;
  readonly rssBytes: number;
  readonly heapBytes: number;
  /** How much later than it should the event loop comes to what is due. */
  readonly loopDelayMs: { readonly mean: number; readonly p99: number };
  readonly connections: number;
  readonly sockets: number;
  readonly sessions: { readonly live: number; readonly catchingUp: number; readonly away: number };
  readonly perSecond: {
    readonly packetsIn: number;
    readonly packetsOut: number;
    readonly bytesIn: number;
    readonly bytesOut: number;
    readonly opened: number;
  };
  /** Since the server was made. */
  readonly counts: {
    readonly dropped: number;
    readonly replaced: number;
    readonly cut: number;
    readonly caughtUp: number;
    readonly refused: number;
    readonly failedEvents: number;
    readonly errors: number;
    readonly warnings: number;
  };
  readonly namespaces: Few<NamespaceRow>;
  readonly rooms: Few<RoomRow>;
  /** Sessions of which most waits for the client to read. */
  readonly readers: Few<SessionRow>;
  /** Grows with each problem: then there is something new to ask for. */
  readonly problems: number;
}

/** What is asked of every server. */
export type Question =
  | { readonly what: 'sessions'; readonly search: string }
  | { readonly what: 'rooms'; readonly search: string }
  | { readonly what: 'session'; readonly id: string }
  | { readonly what: 'problems' }
  | { readonly what: 'end'; readonly id: string };

/** What each of them answers. */
export interface Answers {
  readonly sessions: Few<SessionRow>;
  readonly rooms: Few<RoomRow>;
  /** Null: the session is not here. */
  readonly session: SessionDetails | null;
  readonly problems: readonly Problem[];
  /** Whether it was here, and is over. */
  readonly end: boolean;
}

export type Answer = Answers[Question['what']];

/** Something that has happened, as the log has it. */
export interface Item {
  /** In milliseconds since 1970. */
  readonly at: number;
  readonly happening: string;
  readonly level: string;
  readonly message: string;
  readonly facts: { readonly [name: string]: string | number };
}

/** What who looks is told first. */
export interface Looked {
  /** The server that they are connected to. */
  readonly node: string;
  readonly isReadOnly: boolean;
}

/** Events to the server. */
export interface AdminToServer {
  /** From now on there is a `report` of each server once a second. */
  look(): Looked;
  'look-away'(): void;
  /** From now on what happens comes as `happened`. */
  tail(): Looked;
  /** @returns ids of all servers, each of which is to answer. @param id of the question, for its answers */
  ask(id: number, question: Question): readonly string[];
}

/** Events to the page. Answers come for sure, all others are volatile. */
export interface AdminToPage {
  /** @param nodes ids of all servers, as the one that reports knows them */
  report(report: Report, nodes: readonly string[]): void;
  answer(id: number, node: string, answer: Answer): void;
  /** @param number counts from 1 for each server: one that is missing has not come. @param leftOut how many were too many to be told */
  happened(node: string, number: number, items: readonly Item[], leftOut: number): void;
}

/** Why nobody is let in. */
export const refusals = {
  password: 'ERR_ADMIN_PASSWORD',
  attempts: 'ERR_ADMIN_ATTEMPTS',
  guard: 'ERR_ADMIN_GUARD',
} as const;
