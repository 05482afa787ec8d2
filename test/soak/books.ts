/** Watches the counters of a daemon while it runs: they balance at every scrape and never go back. */
import { setTimeout as sleep } from 'node:timers/promises';
import { parseMetrics, total } from '../support/metrics.js';

const INTERVAL_MS = 100;

export interface Books {
  readonly accepted: number;
  readonly ended: number;
  readonly active: number;
  /** Ended, by any reason but these. */
  readonly unusual: number;
}

const USUAL = new Set(['done']);

export function booksOf(text: string): Books {
  const samples = parseMetrics(text);
  const ends = samples.filter(({ name }) => name === 'anyport_sessions_total');
  return {
    accepted: total(samples, 'anyport_accepted_total'),
    ended: total(samples, 'anyport_sessions_total'),
    active: total(samples, 'anyport_sessions_active'),
    unusual: ends.reduce((sum, { labels, value }) => sum + (USUAL.has(labels.reason ?? '') ? 0 : value), 0),
  };
}

export class BooksWatch {
  readonly faults: string[] = [];
  scrapes = 0;
  #last: Books = { accepted: 0, ended: 0, active: 0, unusual: 0 };
  #stopped = false as boolean;
  readonly #read: () => Promise<string>;
  readonly #watching: Promise<void>;

  /** `read`: the text of a scrape. */
  constructor(read: () => Promise<string>) {
    this.#read = read;
    this.#watching = this.#watch();
  }

  /** The books of now, after the last look. */
  async stop(): Promise<Books> {
    this.#stopped = true;
    await this.#watching;
    await this.#look();
    return this.#last;
  }

  async #watch(): Promise<void> {
    while (!this.#stopped) {
      await this.#look();
      await sleep(INTERVAL_MS);
    }
  }

  async #look(): Promise<void> {
    const books = booksOf(await this.#read());
    const { accepted, ended, active } = books;
    this.scrapes += 1;
    if (accepted !== ended + active)
      this.faults.push(`${accepted} accepted, ${ended} ended, ${active} active`);
    for (const count of ['accepted', 'ended', 'unusual'] as const) {
      if (books[count] < this.#last[count])
        this.faults.push(`${count}: ${this.#last[count]}, then ${books[count]}`);
    }
    this.#last = books;
  }
}
