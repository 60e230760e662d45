// The client of an app that has a contract, in which what comes is checked: an import of its own, so that pages without it load neither
// the checks nor any schema.
import type { AnyContract, Received, Sent } from '@halyard/contract';
import { Checks, isContract } from '@halyard/contract/internal';
import { type AnyEvents, isThenable, type Value } from '@halyard/protocol';
import { chosen } from './api/chosen';
import { createClient } from './api/connect';
import type { ClientOptions, SocketOptions } from './api/options';
import { type Client, openSocket, type Socket } from './api/socket';
import { optionError } from './base/option-error';
import type { Presence } from './session/presence';

export interface ContractOptions<Contract extends AnyContract> {
  /**
   * What the server sends is checked against it before any handler sees it, and so are replies of either side and what is emitted. What
   * the server breaks is told by `error`, and is left out.
   */
  contract: Contract;
}

/** A socket with the events of a contract, as their schemas give them. */
export interface ContractSocket<Contract extends AnyContract>
  extends Socket<Received<Contract['serverToClient']>, Sent<Contract['clientToServer']>> {
  /** The socket of another namespace over the same connection, by a contract of its own, or without one. */
  of<Other extends AnyContract>(
    namespace: string,
    options: SocketOptions & ContractOptions<Other>,
  ): ContractSocket<Other>;
  of<OtherListen = AnyEvents, OtherEmit = AnyEvents>(
    namespace: string,
    options?: SocketOptions,
  ): Socket<OtherListen, OtherEmit>;
}

type Emit = (event: string, ...args: readonly unknown[]) => void;
type Request = (event: string, ...args: readonly unknown[]) => Promise<unknown>;

/** By which contract a presence is. */
const contracts = new WeakMap<Presence, AnyContract>();

/**
 * As `connect` of `@halyard/client`, by a contract. An emit that breaks it throws `ERR_INVALID`; `emitWithAck` rejects with it, also if the reply
 * does. @throws LocalUsageError `ERR_OPTION`
 */
export function connect<Contract extends AnyContract>(
  url: string | URL | undefined,
  { contract, ...options }: ClientOptions & ContractOptions<Contract>,
): ContractSocket<Contract> {
  checkContract(contract);
  const resolved = chosen(options);
  const [client, namespace] = createClient(url, resolved);
  return openChecked(client, namespace, resolved, contract) as never;
}

function openChecked(client: Client, namespace: string, options: SocketOptions, contract: AnyContract): Socket {
  const socket = openSocket(client, namespace, options);
  const presence = client.presences.get(namespace) as Presence;
  const before = contracts.get(presence);
  if (before === contract) return socket;
  if (before) throw optionError('contract', `that which ${namespace} has already`);
  contracts.set(presence, contract);
  checkIncoming(presence, new Checks(contract.serverToClient, 'handler'));
  checkOutgoing(client, socket, new Checks(contract.clientToServer, 'caller'));
  return socket;
}

/** What comes goes to the handlers in the order in which it came, also if a schema takes its time. */
function checkIncoming(presence: Presence, checks: Checks): void {
  const { handle } = presence;
  /** Of the event that came last, if it waits. */
  let last: Promise<void> | undefined;

  presence.handle = (packet, reply) => {
    const { event } = packet;
    const refuse = (error: unknown) => {
      presence.fire('error', error);
      reply?.(error);
    };
    const answer: typeof reply =
      reply &&
      ((error, value) => {
        if (error) return reply(error);
        const failed = (fault: unknown) => {
          presence.fire('error', fault);
          reply(fault);
        };
        try {
          const own = checks.reply(event, value);
          if (isThenable(own)) own.then((given) => reply(undefined, given as Value), failed);
          else reply(undefined, own as Value);
        } catch (fault) {
          failed(fault);
        }
      });
    const pass = (args: readonly Value[]) => handle({ ...packet, args }, answer);
    let args: readonly Value[] | Promise<readonly Value[]>;
    try {
      args = checks.args(event, packet.args);
    } catch (error) {
      args = Promise.reject(error);
    }
    if (!last && !isThenable(args)) return pass(args);
    const checked = Promise.resolve(args);
    // It is looked at in its turn.
    checked.catch(() => {});
    const turn = (last ?? Promise.resolve())
      .then(() => checked)
      .then(pass, refuse)
      .then(() => {
        if (last === turn) last = undefined;
      });
    last = turn;
  };
}

function checkOutgoing(client: Client, socket: Socket, checks: Checks): void {
  /** Of what is asynchronous the server tells. */
  const check = (event: string, args: readonly unknown[]) => {
    const checked = checks.args(event, args as readonly Value[]);
    if (isThenable(checked)) checked.catch(() => {});
  };
  const emitting =
    (emit: Emit): Emit =>
    (event, ...args) => {
      check(event, args);
      emit(event, ...args);
    };
  const requesting =
    (request: Request): Request =>
    async (event, ...args) => {
      check(event, args);
      return checks.reply(event, await request(event, ...args));
    };
  const { emit, emitWithAck, timeout, volatile } = socket;
  Object.assign(socket, {
    emit: emitting(emit),
    emitWithAck: requesting(emitWithAck),
    timeout: (timeoutMs: number) => {
      const limited = timeout(timeoutMs);
      return { emit: emitting(limited.emit), emitWithAck: requesting(limited.emitWithAck) };
    },
    volatile: { emit: emitting(volatile.emit) },
    of: (namespace: string, { contract, ...options }: SocketOptions & Partial<ContractOptions<AnyContract>> = {}) => {
      if (!contract) return openSocket(client, namespace, options);
      checkContract(contract);
      return openChecked(client, namespace, options, contract);
    },
  });
}

function checkContract(contract: unknown): void {
  if (!isContract(contract)) throw optionError('contract', 'what contract(…) of @halyard/contract has made');
}

export type { AnyContract, Received, Sent };
