// Which events a socket has, and who listens to them. Types only.
import type { EventHandler } from '@halyard/protocol';
import type { LifecycleEvents } from '../session/lifecycle';

/** The events of a socket's own life. */
export type ReservedEvent = keyof LifecycleEvents;

/** What `on` takes for an event: of the socket's own life, or of the application. */
export type Listener<Events, Name> = Name extends ReservedEvent
  ? LifecycleEvents[Name]
  : Name extends keyof Events
    ? EventHandler<Events, Name>
    : never;
