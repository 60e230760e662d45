// What the namespaces of a pattern start with.
import { answerMissing } from '@halyard/protocol';
import type { AnyGuard } from '../namespace/gates';
import type { Handler } from '../namespace/handlers';
import type { Middleware, ResumeCheck } from '../namespace/middleware';
import { checkedEvent } from '../namespace/room-events';
import type { Rules } from '../namespace/rules';
import type { SlowReaders } from '../room/rooms';
import { patternHabits } from './habits';
import type { NamespaceRules } from './namespace';

export class PatternRules implements NamespaceRules<never, never, never> {
  readonly #rules: Rules;

  constructor(rules: Rules) {
    this.#rules = rules;
  }

  slowReaders(mode: SlowReaders): this {
    this.#rules.setSlowReaders(mode);
    return this;
  }

  use(middleware: Middleware<never>): this {
    this.#rules.use(middleware);
    return this;
  }

  renew(middleware: Middleware<never>): this {
    this.#rules.renew(middleware);
    return this;
  }

  onResume(check: ResumeCheck<never>): this {
    this.#rules.onResume(check);
    return this;
  }

  guard(events: string | readonly string[], guard: AnyGuard): this {
    this.#rules.gates.guard(events, guard);
    return this;
  }

  on(event: string, handler: Handler): this {
    this.#rules.on(checkedEvent(event), handler);
    return this;
  }
}

answerMissing(PatternRules.prototype, 'io.of(pattern)', patternHabits);
