// What a node in a test is told, as lines.
import type { StoredEntry, StoredLetter, StoreEvents, StoreState } from '@halyard/server';

export class Listening implements StoreEvents {
  readonly heard: string[] = [];

  onEntry(log: string, _epoch: string, { offset, bodies }: StoredEntry): void {
    this.heard.push(`entry ${log} ${offset} ${bodies[0]}`);
  }

  onLetter(session: string, { number, body }: StoredLetter): void {
    this.heard.push(`letter ${session} ${number} ${body}`);
  }

  onMissed(): void {
    this.heard.push('missed');
  }

  onRenewed(log: string): void {
    this.heard.push(`renewed ${log}`);
  }

  onMessage(from: string, message: unknown): string | Promise<string> {
    if (message === 'for ever') {
      this.heard.push('asked for ever');
      return new Promise(() => {});
    }
    if (message === 'once it is away') return this.away().then(() => `answer to ${from}`);
    return `answer to ${message} of ${from}`;
  }

  /** @returns once the store is told to be away */
  async away(): Promise<void> {
    this.heard.push('asked');
    while (this.heard.at(-1) !== 'degraded') await new Promise((resolve) => setImmediate(resolve));
  }

  onVolatile(channel: string, frames: readonly unknown[]): void {
    this.heard.push(`volatile ${channel} ${frames[0]}`);
  }

  onJoined(node: string): void {
    this.heard.push(`joined ${node}`);
  }

  onLeft(node: string): void {
    this.heard.push(`left ${node}`);
  }

  onState(state: StoreState): void {
    this.heard.push(state);
  }

  onWarning(code: string): void {
    this.heard.push(`warning ${code}`);
  }
}
