/**
 * The life of an instance: a document is collected, then a daemon runs it, then it is closed. Every change passes here;
 * none meets an opening half-way.
 */
import { version } from '../base/version.js';
import { unplaced } from '../config/report.js';
import { emptySnapshot } from '../metrics/snapshot.js';
import type { Document, Problem } from '../model/config.js';
import type { Diff } from '../model/diff.js';
import type { Report } from '../model/report.js';
import type { ChangeResult, CurrentSettings } from '../model/settings.js';
import type { Snapshot } from '../model/snapshot.js';
import type { Daemon, DaemonOptions } from '../primary/daemon.js';
import { addListen, type Edit, withListen } from './edits.js';
import { AnyportError, invalidConfig } from './error.js';
import type { Lines } from './logger.js';
import { type CheckOptions, check, configProblem, openDaemon } from './open.js';
import type { ListenAddress } from './options.js';

export interface LifeOptions extends CheckOptions {
  readonly lines: Lines;
  /** Another document is in force. */
  changed(document: Document, diff: Diff): void;
  /** Workers report sessions (while `reportSessions` is set) and endpoints. */
  reported(reports: readonly Report[]): void;
}

export class Life {
  readonly #options: LifeOptions;
  readonly #callOff = new AbortController();
  /** Collected before `listen`; after `close` what was in force. */
  #document: Document;
  #daemon: Daemon | null = null;
  /** Between the call of `listen` and its end. */
  #opening: Promise<void> | null = null;
  #closing: Promise<boolean> | null = null;
  /** Changes under way: functions that only they name are kept. */
  #changing = 0;
  #reportsSessions = false as boolean;
  #lastSnapshot: Snapshot | null = null;

  constructor(document: Document, options: LifeOptions) {
    this.#document = document;
    this.#options = options;
  }

  /** In force, or collected so far. */
  get document(): Document {
    return this.#daemon?.settings.current.document ?? this.#document;
  }

  get listeners(): Daemon['listeners'] {
    return this.#daemon?.listeners ?? [];
  }

  get snapshot(): Snapshot {
    return this.#daemon?.snapshot() ?? this.#lastSnapshot ?? emptySnapshot(Date.now());
  }

  /** Null before `listen` and after `close`. */
  get bans(): Daemon['bans'] | null {
    return this.#daemon?.bans ?? null;
  }

  async metricsText(): Promise<string> {
    if (this.#daemon !== null) return this.#daemon.metricsText();
    throw new AnyportError('not_listening', 'there are metrics from `listen` to `close`');
  }

  /** Whether sessions are reported, now and after `listen`. */
  reportSessions(wanted: boolean): void {
    this.#reportsSessions = wanted;
    this.#daemon?.reportSessions(wanted);
  }

  checkOpen(): void {
    if (this.#closing !== null) throw closed();
  }

  /** Resolves when the change is collected, or in force everywhere. */
  async change(edit: Edit): Promise<void> {
    this.#changing += 1;
    try {
      if (this.#opening !== null) await this.#untilOpened();
      if (this.#daemon === null) this.#document = collected(edit(this.#document));
      else await this.#putInForce(this.#daemon, edit);
    } finally {
      this.#changing -= 1;
      if (this.#changing === 0) this.#options.locals?.keepOnly(this.document);
    }
  }

  /** Resolves with the listeners that came with it. */
  async listen(addresses: readonly ListenAddress[]): Promise<Daemon['listeners']> {
    await this.#untilOpened();
    if (this.#daemon !== null) return this.#listenToo(this.#daemon, addresses);
    this.#opening = this.#open(withListen(this.#document, addresses));
    try {
      await this.#opening;
    } finally {
      this.#opening = null;
    }
    return this.listeners;
  }

  async #listenToo(daemon: Daemon, addresses: readonly ListenAddress[]): Promise<Daemon['listeners']> {
    if (addresses.length === 0) return [];
    let before = new Set<string>();
    const changed = await this.#putInForce(daemon, (document) => {
      before = new Set(daemon.listeners.map(keyOf));
      return addListen(addresses)(document);
    });
    // Two listeners on port 0 of one host have one name.
    if (!changed) throw new AnyportError('refused', `it listens on ${addresses.join(', ')} already`);
    return daemon.listeners.filter((each) => !before.has(keyOf(each)));
  }

  /** `deadlineMs`: undefined for that of the configuration. Idempotent; 0 ends a close that waits for sessions. */
  close(deadlineMs: number | undefined): Promise<boolean> {
    this.#closing ??= this.#close(deadlineMs);
    if (deadlineMs === 0) void this.#daemon?.cut();
    return this.#closing;
  }

  async #untilOpened(): Promise<void> {
    while (this.#opening !== null) await this.#opening.catch(() => {});
    this.checkOpen();
  }

  /** False: it is in force already. */
  async #putInForce(daemon: Daemon, edit: Edit): Promise<boolean> {
    const change = (document: Document): Document | Problem => {
      const edited = edit(document);
      return typeof edited === 'string' ? unplaced(edited) : edited;
    };
    const result = await daemon.settings.edit(change, 'library');
    throwUnlessDone(result);
    return result.result === 'applied';
  }

  async #open(document: Document): Promise<void> {
    const { lines } = this.#options;
    const loaded = await check(document, this.#options);
    this.checkOpen();
    if (!loaded.ok) throw invalidConfig(loaded.problems.map(configProblem));
    for (const warning of loaded.warnings) lines.log.warn(problemText(warning));
    this.#daemon = await openDaemon(loaded.config, this.#daemonOptions(document), this.#callOff.signal);
    this.#daemon.reportSessions(this.#reportsSessions);
    // Asked for over the control interface, where `admin` is configured.
    this.#daemon.drainRequested.addEventListener('abort', () => void this.close(undefined), { once: true });
  }

  #daemonOptions(document: Document): DaemonOptions {
    const { lines, locals, changed, reported } = this.#options;
    const source = {
      document,
      name: 'options',
      check: (next: Document) => check(next, this.#options),
      reload: () => check(this.document, this.#options),
      applied: ({ document: next }: CurrentSettings, diff: Diff) => changed(next, diff),
    };
    return {
      version,
      log: lines.log,
      write: lines.write,
      linesDropped: () => 0,
      movesPorts: false,
      source,
      report: reported,
      reportsSessions: this.#reportsSessions,
      ...(locals && { local: locals.table }),
    };
  }

  async #close(deadlineMs: number | undefined): Promise<boolean> {
    this.#callOff.abort();
    await this.#opening?.catch(() => {});
    const daemon = this.#daemon;
    if (daemon === null) return true;
    const allEnded = deadlineMs === 0 ? await daemon.cut() : await daemon.drain(deadlineMs);
    await daemon.close();
    this.#document = this.document;
    this.#lastSnapshot = daemon.snapshot();
    this.#daemon = null;
    return allEnded && this.#lastSnapshot.endedConnections.drain_timeout === 0;
  }
}

const closed = () => new AnyportError('closed', 'this instance is closed');

/** Before `listen` a change is made at once. */
function collected(edited: Document | string): Document {
  if (typeof edited !== 'string') return edited;
  throw invalidConfig([{ path: '', message: edited }]);
}

function throwUnlessDone(result: ChangeResult): void {
  if (result.result === 'called_off') throw closed();
  if (result.result === 'superseded')
    throw new AnyportError('refused', 'a newer configuration took its place');
  if (result.result !== 'refused') return;
  const problems = result.problems.map(configProblem);
  if (problems.some(({ path }) => path !== '')) throw invalidConfig(problems);
  throw new AnyportError('refused', problems.map(({ message }) => message).join('; '), { problems });
}

function problemText(warning: Problem): string {
  const { path, message } = configProblem(warning);
  return path === '' ? message : `${path}: ${message}`;
}

const keyOf = ({ address, transport }: Daemon['listeners'][number]): string => `${transport} ${address}`;
