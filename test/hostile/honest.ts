// Honest clients beside an attack, one over each transport: each says numbers and waits for the answers, and hears what everybody hears.
// They are to notice nothing.
import { connect, type Socket, type TransportName } from '@halyard/client';

/** Far more than a hundred, which is what is measured: a machine that is busy loses nothing. */
const ackTimeoutMs = 30_000;

class Honest {
  readonly name: TransportName;
  /** What was not as it must be. */
  faults: string[] = [];
  /** Round trips, in milliseconds. */
  trips: number[] = [];
  readonly #socket: Socket;
  readonly #underWay = new Set<Promise<void>>();
  #said = 0;
  #answered = 0;
  #news = 0;
  #connects = 0;
  #timer: NodeJS.Timeout | undefined;

  constructor(port: number, name: TransportName) {
    this.name = name;
    this.#socket = connect(`http://127.0.0.1:${port}`, { transports: [name], ackTimeoutMs, auth: { honest: name } });
    this.#socket.on('connect', ({ recovered }) => {
      if (++this.#connects > 1) this.#fault(`it was connected again, recovered: ${recovered}`);
    });
    this.#socket.on('disconnect', ({ code, reason }) => this.#fault(`it was disconnected: ${code} ${reason}`));
    this.#socket.on('listening', (number: number) => {
      this.#news = number;
    });
    this.#socket.on('news', (number: number) => {
      if (number !== this.#news + 1) this.#fault(`news ${number} came behind ${this.#news}`);
      this.#news = number;
    });
  }

  async begin(everyMs: number): Promise<void> {
    await this.#socket.emitWithAck('listen');
    this.#timer = setInterval(() => this.#say(), everyMs);
  }

  /** All that it has said was answered, and all that was news by then has come. */
  async settled(): Promise<void> {
    await Promise.all(this.#underWay);
    const news = (await this.#socket.emitWithAck('news')) as number;
    if (this.#news < news) this.#fault(`it has heard ${this.#news} of ${news} news`);
  }

  leave(): void {
    clearInterval(this.#timer);
    this.#socket.off('disconnect');
    this.#socket.connection.close();
  }

  #say(): void {
    const number = ++this.#said;
    const begun = performance.now();
    const answer = this.#socket.emitWithAck('count', number).then(
      (value) => {
        if (value !== number || number !== this.#answered + 1) {
          this.#fault(`${number} was answered ${value} behind ${this.#answered}`);
        }
        this.#answered = number;
        this.trips.push(performance.now() - begun);
        this.#underWay.delete(answer);
      },
      (error) => {
        this.#fault(`${number} failed: ${error}`);
        this.#underWay.delete(answer);
      },
    );
    this.#underWay.add(answer);
  }

  #fault(what: string): void {
    this.faults.push(`${this.name}: ${what}`);
  }
}

export class HonestClients {
  readonly #clients: readonly Honest[];

  private constructor(clients: readonly Honest[]) {
    this.#clients = clients;
  }

  /** @param everyMs how often each of them says something */
  static async begin(port: number, everyMs: number): Promise<HonestClients> {
    const names: readonly TransportName[] = ['websocket', 'polling', 'sse'];
    const clients = new HonestClients(names.map((name) => new Honest(port, name)));
    await Promise.all(clients.#clients.map((client) => client.begin(everyMs)));
    return clients;
  }

  /** @returns what was not as it must be since the last call */
  takeFaults(): string[] {
    const faults = this.#clients.flatMap((client) => client.faults);
    for (const client of this.#clients) client.faults = [];
    return faults;
  }

  /** @returns the round trips since the last call, in milliseconds, ascending */
  takeTrips(): number[] {
    const trips = this.#clients.flatMap((client) => client.trips);
    for (const client of this.#clients) client.trips = [];
    return trips.sort((a, b) => a - b);
  }

  async settled(): Promise<void> {
    await Promise.all(this.#clients.map((client) => client.settled()));
  }

  leave(): void {
    for (const client of this.#clients) client.leave();
  }
}
