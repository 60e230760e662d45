// What a server may never do on a connection, whatever a case is about.
import type { Tuple } from './line';
import { BrokenRule, isControl, isCounted, type Watch } from './talk';

export class ServerWatch implements Watch {
  #helloSaid = false;
  #welcomed = false;
  #resumes = false;
  /** Number of the last counted packet that it was sent. */
  #sent = 0;
  /** What came over earlier connections, as WELCOME says. */
  #before = 0;
  /** What it has told that it has handled. */
  #told = 0;
  /** Of the last EVENT with an ack. */
  #acked = 0;
  readonly #positions = new Map<string, number>();

  said(frame: Tuple): void {
    const [type, , , resume] = frame;
    if (type === 0) {
      this.#helloSaid = true;
      // Numbers go on from what is known confirmed.
      this.#resumes = Array.isArray(resume);
      if (Array.isArray(resume)) this.#sent = this.#told = Number(resume[3] ?? 0);
    } else if (type === 14) this.#sent = this.#told = this.#before = 0;
    else if (isCounted(frame)) this.#sent++;
  }

  saidRaw(): void {
    this.#sent = Number.POSITIVE_INFINITY;
  }

  heard(frame: Tuple): void {
    const [type] = frame;
    if (type === 9 && !this.#helloSaid) return;
    if (!this.#welcomed && type !== 1 && type !== 9)
      throw new BrokenRule('§5.2', `${JSON.stringify(frame)} before WELCOME`);
    if (type === 1) {
      if (this.#welcomed) throw new BrokenRule('§4', 'a second WELCOME');
      this.#welcomed = true;
      // Of a session that goes on nowhere nothing counts: what was sent is heeded from RESET on.
      if (frame[5] === false && (this.#resumes || frame[6])) this.#sent = this.#told = 0;
      this.#before = Number(frame[4]);
      this.#tells(this.#before);
    } else if (type === 0 || type === 10 || type === 14)
      throw new BrokenRule('§4', `a server sends no packet of type ${type}`);
    else if (isControl(frame)) this.#tells(frame[1]);
    else if (type === 2) this.#asks(frame[4]);
    else if (type === 5) this.#publishes(frame[2] as Tuple);
  }

  #tells(received: unknown): void {
    if (typeof received !== 'number') return;
    const sent = Math.max(this.#sent, this.#before);
    if (received > sent) throw new BrokenRule('§4', `${received} confirmed, ${sent} sent`);
    if (received < this.#told) throw new BrokenRule('§4', `${received} confirmed, ${this.#told} before`);
    this.#told = received;
  }

  #asks(ack: unknown): void {
    if (ack === undefined || ack === null) return;
    if (Number(ack) <= this.#acked) throw new BrokenRule('§6', `ack ${ack} behind ack ${this.#acked}`);
    this.#acked = Number(ack);
  }

  /** Who remembers positions would drop it. */
  #publishes(positions: Tuple): void {
    for (let i = 0; i < positions.length; i += 2) {
      const [log, offset] = [String(positions[i]), Number(positions[i + 1])];
      if (offset <= (this.#positions.get(log) ?? 0))
        throw new BrokenRule('§5.7', `offset ${offset} of ${log} behind ${this.#positions.get(log)}`);
      this.#positions.set(log, offset);
    }
  }
}
