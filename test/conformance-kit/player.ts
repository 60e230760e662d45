// Plays the steps that a case has of either end: what goes over lines, and what is expected there.
import type { Case, Step } from './case';
import type { Tuple } from './line';
import { Names } from './pattern';
import type { Talk } from './talk';

export abstract class Player {
  protected readonly names = new Names();
  protected readonly talks = new Map<string, Talk>();
  protected readonly withinMs: number;

  protected constructor(withinMs: number) {
    this.withinMs = withinMs;
  }

  /** @throws Error that says at which step what was wrong */
  async play({ steps }: Case): Promise<void> {
    try {
      for (const [i, step] of steps.entries()) {
        try {
          await this.#take(step);
        } catch (error) {
          const text = error instanceof Error ? error.message : String(error);
          throw new Error(`step ${i + 1}, ${step.verb} at ${step.at}: ${text}`);
        }
      }
      for (const [at, talk] of this.talks) {
        if (talk.over) continue;
        try {
          await talk.expectQuiet();
        } catch (error) {
          throw new Error(`at its end, ${at}: ${error instanceof Error ? error.message : error}`);
        }
      }
      await this.atEnd();
    } finally {
      await this.leave();
    }
  }

  /** What only one of the ends has. */
  protected abstract takeOwn(step: Step): Promise<void>;
  /** Nothing but what the steps have seen has come elsewhere. */
  protected abstract atEnd(): Promise<void>;
  /** Nothing is left running. */
  protected abstract leave(): Promise<void>;

  async #take(step: Step): Promise<void> {
    const { names } = this;
    const { at, verb, what, more } = step;
    const withinMs = more.withinMs as number | undefined;
    switch (verb) {
      case 'send':
        this.talk(at).send(names.fill(what as Tuple));
        break;
      case 'sendText':
        this.talk(at).sendRaw(names.fill(what as string));
        break;
      case 'sendHex':
        this.talk(at).sendRaw(new Uint8Array(Buffer.from((what as string).replaceAll(' ', ''), 'hex')));
        break;
      case 'expect':
        await this.talk(at).expect(what as Tuple, names, withinMs);
        break;
      case 'expectAll':
        await this.talk(at).expectAll(what as readonly Tuple[], names);
        break;
      case 'confirmed':
        await this.talk(at).expectConfirmed(names.fill(what) as number, withinMs);
        break;
      case 'quiet':
        await this.talk(at).expectQuiet();
        break;
      case 'still':
        await this.talk(at).expectStill(what as number);
        break;
      case 'closed': {
        const codes = [what, ...((more.or as number[] | undefined) ?? [])] as number[];
        const { code, reason } = await this.talk(at).expectClosed(codes, withinMs);
        if (code === what && more.reason !== undefined && !reason.startsWith(String(more.reason)))
          throw new Error(`the reason is "${reason}", and begins not with "${more.reason}"`);
        break;
      }
      case 'close': {
        const talk = this.talk(at);
        talk.over = true;
        talk.line.close(what as number, String(more.reason ?? ''));
        break;
      }
      case 'cut':
        this.talk(at).over = true;
        this.talk(at).line.cut();
        break;
      case 'check': {
        const [left, sign, right] = names.fill(what as [unknown, string, unknown]);
        const holds = sign === '<' ? Number(left) < Number(right) : (left === right) === (sign === '=');
        if (!holds) throw new Error(`${left} ${sign} ${right} does not hold`);
        break;
      }
      default:
        await this.takeOwn(step);
    }
  }

  protected talk(at: string): Talk {
    const talk = this.talks.get(at);
    if (talk === undefined) throw new Error(`there is no line ${at}`);
    return talk;
  }
}
