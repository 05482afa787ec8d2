/**
 * Who may connect, as a part of the daemon: the lists of a configuration are read before it counts, and their files again
 * whenever they change, beside the sessions. A list comes into force as a whole.
 */
import { type Admission, native, type Prefixes } from '../addon.js';
import { systemClock } from '../base/clock.js';
import { FileWatch } from '../base/file-watch/index.js';
import type { Logger } from '../base/log.js';
import { Turns } from '../base/turns.js';
import { formatProblem } from '../config/report.js';
import { type Config, listKeys, type Problem } from '../model/config.js';
import type { ListStatus } from '../model/list-status.js';
import { type ListFile, ListFiles } from '../security/list-files.js';
import {
  admissionLists,
  type List,
  ListMaker,
  type ListSet,
  listPathsIn,
  readLists,
} from '../security/lists.js';
import { OwnedSets } from '../security/owned-sets.js';
import type { Part, Prepared } from './part.js';
import { StartError } from './start-error.js';

export interface ListsParts {
  readonly admission: Pick<Admission, 'setLists'>;
  /** Id of a listener. */
  readonly idOf: (listener: string) => number;
  readonly log: Logger;
}

export class ListsPart implements Part {
  readonly #parts: ListsParts;
  readonly #files = new ListFiles(native.Prefixes);
  readonly #maker = new ListMaker(native.Prefixes, this.#files);
  readonly #owned = new OwnedSets();
  readonly #watch: FileWatch;
  readonly #turns = new Turns();
  /** In force; null: none yet. */
  #config: Config | null = null;
  #lists: ListSet = [];
  /** Of a file, as it was logged last; empty: nothing. */
  readonly #said = new Map<string, string>();
  /** Files that have changed while a configuration was being prepared. */
  #isPreparing = false as boolean;
  #isBehind = false as boolean;

  constructor(parts: ListsParts) {
    this.#parts = parts;
    const changed = () => this.#filesChanged();
    this.#watch = new FileWatch({ changed, clock: systemClock, log: parts.log });
  }

  /** Of those that are not empty. */
  get status(): readonly ListStatus[] {
    return this.#lists.map((list) => this.#statusOf(list));
  }

  /** `ip_whitelist` of all listeners; null: empty. Valid until it changes. */
  get trusted(): Prefixes | null {
    return (
      this.#lists.find(({ listener, name }) => listener === null && name === 'trusted')?.networks ?? null
    );
  }

  prepare(config: Config): Promise<Prepared> {
    return this.#turns.run(() => this.#prepare(config));
  }

  close(): void {
    this.#watch.close();
  }

  async #prepare(config: Config): Promise<Prepared> {
    const readAtMs = Date.now();
    const faults = await readLists(config, this.#files);
    const { lists, problems } = await this.#make(config, []);
    const [first, ...others] = [...faults, ...problems];
    if (first !== undefined) {
      this.#forget();
      throw new StartError(textOf(first, others.length), undefined, [first, ...others]);
    }
    this.#isPreparing = true;
    this.#guardNew(lists);
    return {
      commit: () => {
        this.#config = config;
        this.#lists = lists;
        this.#settle();
        void this.#watch.follow([...listPathsIn(config)], readAtMs);
        this.#watch.turn(true);
      },
      discard: () => this.#settle(),
    };
  }

  /** Listeners that are to be opened have their lists before their first connection; others keep theirs until then. */
  #guardNew(next: ListSet): void {
    const known = new Set(this.#config?.listeners.map(({ name }) => name));
    this.#show([...this.#lists, ...next.filter(({ listener }) => listener !== null && !known.has(listener))]);
  }

  #settle(): void {
    this.#isPreparing = false;
    this.#show(this.#lists);
    this.#forget();
    if (this.#isBehind) void this.#filesChanged();
  }

  #show(lists: ListSet): void {
    this.#parts.admission.setLists(admissionLists(lists, this.#parts.idOf));
  }

  async #make(config: Config, before: ListSet): ReturnType<ListMaker['make']> {
    const made = await this.#maker.make(config, before);
    this.#owned.add([
      ...made.lists.map(({ networks }) => networks),
      ...this.#maker.sets,
      ...this.#files.sets,
    ]);
    return made;
  }

  /** What is not in force. */
  #forget(): void {
    const paths = this.#config === null ? new Set<string>() : listPathsIn(this.#config);
    this.#files.retain(paths);
    for (const path of this.#said.keys()) if (!paths.has(path)) this.#said.delete(path);
    const used = [...this.#lists.map(({ networks }) => networks), ...this.#maker.sets, ...this.#files.sets];
    if (this.#owned.retain(new Set(used))) native.trimMemory();
  }

  #filesChanged(): Promise<void> {
    return this.#turns.run(async () => {
      this.#isBehind = this.#isPreparing;
      if (this.#config !== null && !this.#isPreparing) await this.#renew(this.#config);
    });
  }

  /** Reads what has changed. What can not be read keeps what it had. */
  async #renew(config: Config): Promise<void> {
    for (const path of listPathsIn(config)) {
      const before = this.#files.get(path);
      const now = await this.#files.read(path);
      if (now !== before) this.#say(path, before, now);
    }
    const { lists, problems } = await this.#make(config, this.#lists);
    for (const problem of problems) {
      this.#parts.log.error({ problem: formatProblem(problem) }, 'a list keeps what it had last');
    }
    this.#lists = lists;
    this.#show(lists);
    this.#forget();
  }

  /** A fault once, and its end. */
  #say(file: string, before: ListFile, { networks, problems, readAtMs }: ListFile): void {
    const { log } = this.#parts;
    const fault = problems.map(({ line, message }) => (line === null ? message : `line ${line}: ${message}`));
    const text = fault.join('; ');
    if (text === '' && readAtMs !== before.readAtMs)
      log.info({ file, entries: networks?.entries ?? 0 }, 'a list has been read again');
    else if (text !== '' && text !== this.#said.get(file))
      log.error({ file, problems: fault }, 'a list can not be read again; what it had last stays in force');
    this.#said.set(file, text);
  }

  #statusOf({ listener, name, config, networks }: List): ListStatus {
    return {
      list: listKeys[name],
      listener,
      entries: networks.entries,
      bytes: networks.bytes,
      files: config.files.map(({ path }) => {
        const file = this.#files.get(path);
        return {
          path,
          entries: file.networks?.entries ?? 0,
          readAt: new Date(file.readAtMs).toISOString(),
          failures: file.failures,
          problem: file.problems.length === 0 ? null : problemText(path, file),
        };
      }),
    };
  }
}

const problemText = (path: string, { problems: [first] }: ListFile): string =>
  formatProblem({
    file: path,
    column: null,
    path: '',
    line: first?.line ?? null,
    message: first?.message ?? '',
  });

const textOf = (first: Problem, others: number): string =>
  others === 0 ? formatProblem(first) : `${formatProblem(first)} (and ${others} more)`;
