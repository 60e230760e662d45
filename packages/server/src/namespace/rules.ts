// Who may enter a namespace, what events pass there, and who listens to it. A child of a dynamic namespace starts with a copy of what that has.
import { inspect } from 'node:util';
import { LocalUsageError } from '@halyard/protocol';
import { type SlowReaders, slowReaderModes } from '../room/rooms';
import { Gates } from './gates';
import { type Handler, type Handlers, noHandlers, withHandler } from './handlers';
import { checkMiddleware, type Middleware, type ResumeCheck } from './middleware';

export class Rules {
  readonly middleware: Middleware<never>[] = [];
  /** For those who are in, and present something else. */
  readonly renewals: Middleware<never>[] = [];
  /** For those who are in, and come back. */
  readonly resumeChecks: ResumeCheck<never>[] = [];
  listeners: Handlers = noHandlers;
  /** What events of those who are in have to pass. */
  readonly gates = new Gates();
  /** Whether anybody listens to anything but who is connected. */
  watchesRooms = false;
  slowReaders: SlowReaders = 'catch-up';

  /** @throws LocalUsageError `ERR_OPTION` */
  setSlowReaders(mode: SlowReaders): void {
    if (!slowReaderModes.includes(mode)) {
      const given = typeof mode === 'string' ? `"${mode}"` : inspect(mode, { depth: 0 });
      throw new LocalUsageError('ERR_OPTION', `slowReaders takes "catch-up", "latest" or "cut", not ${given}.`);
    }
    this.slowReaders = mode;
  }

  /** @throws LocalUsageError `ERR_HANDLER_TYPE` */
  use(middleware: Middleware<never>): void {
    checkMiddleware(middleware, 'handshake');
    this.middleware.push(middleware);
  }

  /** @throws LocalUsageError `ERR_HANDLER_TYPE` */
  renew(middleware: Middleware<never>): void {
    checkMiddleware(middleware, 'handshake');
    this.renewals.push(middleware);
  }

  /** @throws LocalUsageError `ERR_HANDLER_TYPE` */
  onResume(check: ResumeCheck<never>): void {
    checkMiddleware(check, 'socket');
    this.resumeChecks.push(check);
  }

  on(event: string, handler: Handler): void {
    this.listeners = withHandler(this.listeners, event, handler);
    if (event !== 'connection') this.watchesRooms = true;
  }

  /** Takes those of others, in place of its own. */
  become(others: Rules): void {
    this.middleware.splice(0, Infinity, ...others.middleware);
    this.renewals.splice(0, Infinity, ...others.renewals);
    this.resumeChecks.splice(0, Infinity, ...others.resumeChecks);
    this.listeners = others.listeners;
    this.gates.become(others.gates);
    this.watchesRooms = others.watchesRooms;
    this.slowReaders = others.slowReaders;
  }

  copy(): Rules {
    const rules = new Rules();
    rules.become(this);
    return rules;
  }
}
