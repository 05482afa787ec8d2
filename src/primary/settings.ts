/**
 * The configuration in force, and the queue of changes to it. Each is read, checked and compared in its turn; the daemon
 * puts it into force as a whole or not at all.
 */
import { diffConfigs, unchangeable } from '../config/diff/index.js';
import type { Loaded } from '../config/load.js';
import { unplaced } from '../config/report.js';
import type { Config, Document, Problem } from '../model/config.js';
import type { Diff } from '../model/diff.js';
import type { Cause, ChangeResult, CurrentSettings, LastChange, Settings } from '../model/settings.js';
import type { Contribution, Fragment, ProviderName } from '../providers/contribution.js';
import { carriedOrigins } from './carried-origins.js';
import { withModules } from './modules.js';
import type { Changed } from './reconfiguration.js';
import type { Reloads } from './reloads.js';

export const settingsLimits = {
  /** Changes that wait for their turn; further ones are refused. */
  waitingMax: 100,
} as const;

/** Where configurations come from. */
export interface SettingsSource {
  /** What the daemon is opened with. */
  readonly document: Document;
  readonly name: string;
  /** Reads the file and the flags again. */
  reload(): Promise<Loaded>;
  /** Checks a document. */
  check(document: Document): Promise<Loaded>;
  /** Checks a document as if a file said it: with what wins over files, such as flags. */
  checkAsFile?(document: Document): Promise<Loaded>;
  /** What a provider has to say from now on, beside every configuration that is read or checked. */
  contribute?(contribution: Contribution): void;
  withdraw?(provider: ProviderName): void;
  /** What the first configuration was read with, and takes of it. */
  contributed?(provider: ProviderName): readonly Fragment[];
  /** A change is likely to be asked for soon. */
  warm?(): void;
  /** `rested` is called each time when nothing is read any more, and its memory can be given back. */
  onRest?(rested: () => void): void;
  /** Called after each change that is in force. */
  applied?(current: CurrentSettings, diff: Diff): void;
}

export interface SettingsParts {
  readonly config: Config;
  readonly source: SettingsSource;
  readonly change: (config: Config) => Promise<Changed>;
  readonly reloads: Reloads;
  /** Monotonic. */
  readonly nowMs: () => number;
}

type Accepted = Extract<Loaded, { ok: true }>;

/** A change that waits for its turn. */
interface Request {
  readonly cause: Cause;
  /** A whole configuration, which a newer one makes superfluous. */
  readonly isWhole: boolean;
  read(): Promise<Loaded>;
  settle(result: ChangeResult): void;
}

export class RunningSettings implements Settings {
  readonly #parts: SettingsParts;
  readonly #waiting: Request[] = [];
  #current: CurrentSettings;
  #running: Promise<void> | null = null;
  /** Why changes are refused for the time being. */
  #held: string | null = null;
  #isClosed = false as boolean;
  /** Why changes are refused once it is closed; null: they are called off. */
  #refusal: string | null = null;

  constructor(parts: SettingsParts) {
    this.#parts = parts;
    const { document, name } = parts.source;
    this.#current = { document, config: parts.config, name, changedAt: Date.now() };
  }

  get current(): CurrentSettings {
    return this.#current;
  }

  get last(): LastChange | null {
    return this.#parts.reloads.last;
  }

  reload(cause: Cause): Promise<ChangeResult> {
    return this.#ask(cause, true, () => this.#parts.source.reload());
  }

  replace(document: Document, cause: Cause): Promise<ChangeResult> {
    return this.#ask(cause, true, () => this.#check(document, cause, SENDERS[cause] ?? null));
  }

  edit(change: (document: Document) => Document | Problem, cause: Cause): Promise<ChangeResult> {
    return this.#ask(cause, false, async () => {
      const edited = change(this.#current.document);
      if (isProblem(edited)) return { ok: false, problems: [edited], files: [] };
      // It is the same one, with something beside it; origins say what.
      return this.#check(edited, cause, this.#current.name);
    });
  }

  async diff(document: Document): ReturnType<Settings['diff']> {
    const { source } = this.#parts;
    const loaded = await (source.checkAsFile ?? source.check)(document);
    if (!loaded.ok) return loaded;
    const [before, after] = [this.#current.config, await withModules(loaded.config)];
    const problems = unchangeable(before, after);
    return problems.length > 0 ? { ok: false, problems } : { ok: true, diff: diffConfigs(before, after) };
  }

  /**
   * Refuses changes, giving the reason, until the returned function is called; resolves when the one that is running
   * and those that wait have ended.
   */
  async hold(why: string): Promise<() => void> {
    this.#held = why;
    await this.#running;
    return () => {
      this.#held = null;
    };
  }

  /** Calls off the changes that wait, and all later ones; with `refusal` later ones are refused for this reason. */
  close(refusal: string | null = null): void {
    this.#isClosed = true;
    this.#refusal = refusal;
    for (const { settle } of this.#waiting.splice(0)) settle({ result: 'called_off' });
  }

  /** `name`: where it came from; null: as whoever reads it says. */
  async #check(document: Document, cause: Cause, name: string | null): Promise<Loaded> {
    const { document: running, config } = this.#current;
    const loaded = await this.#parts.source.check(document);
    if (!loaded.ok) return loaded;
    const before = { document: running, origins: config.origins };
    const origins = carriedOrigins(
      before,
      { document, origins: loaded.config.origins },
      SENDERS[cause] ?? null,
    );
    return { ...loaded, name: name ?? loaded.name, config: { ...loaded.config, origins } };
  }

  #ask(cause: Cause, isWhole: boolean, read: () => Promise<Loaded>): Promise<ChangeResult> {
    if (this.#isClosed && this.#refusal === null) return Promise.resolve({ result: 'called_off' });
    const refusal =
      this.#refusal ?? this.#held ?? (this.#waiting.length >= settingsLimits.waitingMax ? TOO_MANY : null);
    if (refusal !== null) {
      const result = { result: 'refused', problems: [unplaced(refusal)] } as const;
      this.#parts.reloads.note(cause, result);
      return Promise.resolve(result);
    }
    return new Promise((settle) => {
      const newest = this.#waiting.at(-1);
      if (isWhole && newest?.isWhole) this.#waiting.pop()?.settle({ result: 'superseded' });
      this.#waiting.push({ cause, isWhole, read, settle });
      this.#running ??= this.#run();
    });
  }

  async #run(): Promise<void> {
    // Not before the caller has its promise.
    await Promise.resolve();
    for (let next = this.#waiting.shift(); next; next = this.#waiting.shift()) {
      const result = await this.#perform(next).catch(
        (error: unknown): ChangeResult => ({
          result: 'refused',
          problems: [unplaced(`it failed: ${error}`)],
        }),
      );
      this.#parts.reloads.note(next.cause, result);
      next.settle(result);
    }
    this.#running = null;
  }

  async #perform({ read, cause }: Request): Promise<ChangeResult> {
    const startMs = this.#parts.nowMs();
    const loaded = await read();
    if (this.#isClosed) return { result: 'called_off' };
    if (!loaded.ok) return { result: 'refused', problems: loaded.problems };
    const before = this.#current.config;
    const config = await withModules(loaded.config);
    const diff = diffConfigs(before, config);
    if (diff.length === 0) {
      const { document, name } = loaded;
      this.#current = { ...this.#current, document, name, config: { ...before, origins: config.origins } };
      return { result: 'unchanged' };
    }
    const problems = unchangeable(before, config);
    if (problems.length > 0) return { result: 'refused', problems };
    const changed = await this.#parts.change(config);
    if (changed.result !== 'applied') return changed;
    this.#take({ ...loaded, config }, diff, cause);
    return { ...changed, diff, tookMs: this.#parts.nowMs() - startMs };
  }

  #take({ document, config, name, warnings }: Accepted, diff: Diff, cause: Cause): void {
    this.#parts.reloads.warn(warnings, cause);
    this.#current = { document, config, name, changedAt: Date.now() };
    const current = this.#current;
    // What a listener throws is not the change's failure.
    queueMicrotask(() => this.#parts.source.applied?.(current, diff));
  }
}

/** Of documents, where they have a name. */
const SENDERS: Partial<Record<Cause, string>> = { admin: 'the control interface' };

const TOO_MANY = `more than ${settingsLimits.waitingMax} changes are waiting: ask again later`;

/** No configuration has the keys of a Problem at its top. */
const isProblem = (value: Document | Problem): value is Problem =>
  'message' in value && 'path' in value && 'line' in value;
