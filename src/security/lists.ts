/**
 * The lists of a configuration as sets that the gate judges by: networks as written, and those of files. What comes from
 * files changes with them; what a list had last stays while it can not be made anew.
 */
import type { Admission, AdmissionLists, NativePrefixes, Prefixes } from '../addon.js';
import { type Config, type ListConfig, type ListsConfig, listKeys, type Problem } from '../model/config.js';
import type { ListFiles } from './list-files.js';

type ListName = keyof ListsConfig;

/** One list, of all listeners or of one. */
export interface List {
  /** Null: of all. */
  readonly listener: string | null;
  readonly name: ListName;
  readonly config: ListConfig;
  readonly networks: Prefixes;
}

/** Lists that are not empty. */
export type ListSet = readonly List[];

/** Without those that have neither networks nor files. */
function listsIn({ security, listeners }: Config): Omit<List, 'networks'>[] {
  const owners = [
    { listener: null, lists: security.lists },
    ...listeners.map(({ name, lists }) => ({ listener: name, lists })),
  ];
  return owners.flatMap(({ listener, lists }) =>
    (Object.keys(listKeys) as ListName[])
      .map((name) => ({ listener, name, config: lists[name] }))
      .filter(({ config }) => config.networks.length + config.files.length > 0),
  );
}

/** Absolute paths. */
export const listPathsIn = (config: Config): ReadonlySet<string> =>
  new Set(listsIn(config).flatMap((list) => list.config.files.map(({ path }) => path)));

/** Reads all files; what is wrong with them, each with where it is named. */
export async function readLists(config: Config, files: ListFiles): Promise<Problem[]> {
  const named = listsIn(config).flatMap((list) => list.config.files);
  // Where it is named first.
  const places = new Map(named.toReversed().map(({ path, at }) => [path, at]));
  const found: Problem[] = [];
  for (const [path, at] of [...places].toReversed()) {
    const { problems } = await files.read(path);
    found.push(...problems.map((problem) => ({ file: path, column: null, path: at, ...problem })));
  }
  return found;
}

/** Makes the sets of a configuration from files that have been read. */
export class ListMaker {
  readonly #native: NativePrefixes;
  readonly #files: ListFiles;
  /** By their texts: made once for all listeners that name the same networks. */
  readonly #written = new Map<string, Prefixes>();

  constructor(native: NativePrefixes, files: ListFiles) {
    this.#native = native;
    this.#files = files;
  }

  get sets(): readonly Prefixes[] {
    return [...this.#written.values()];
  }

  /** `before`: what a list has that would be without a network, although it names some or a file. */
  async make(config: Config, before: ListSet): Promise<{ lists: ListSet; problems: readonly Problem[] }> {
    const lists: List[] = [];
    const problems: Problem[] = [];
    // Listeners of a port range, and others that name the same, share one.
    const made = new Map<string, Prefixes>();
    const used = new Set<string>();
    for (const list of listsIn(config)) {
      const key = contentOf(list.config);
      const networks = made.get(key) ?? (await this.#networksOf(list.config, used));
      made.set(key, networks);
      const wouldLetAllIn = list.name === 'allowed' && networks.entries === 0;
      if (wouldLetAllIn) problems.push(nobodyAllowed(list.config));
      const last = before.find(({ name, listener }) => name === list.name && listener === list.listener);
      if (!wouldLetAllIn || last !== undefined)
        lists.push({ ...list, networks: wouldLetAllIn ? (last as List).networks : networks });
    }
    for (const key of this.#written.keys()) if (!used.has(key)) this.#written.delete(key);
    return { lists, problems };
  }

  async #networksOf({ networks, files }: ListConfig, used: Set<string>): Promise<Prefixes> {
    const read = files.flatMap(({ path }) => this.#files.get(path).networks ?? []);
    const parts = networks.length > 0 ? [this.#writtenOf(networks, used), ...read] : read;
    const [only] = parts;
    return parts.length === 1 && only !== undefined ? only : this.#native.join(parts);
  }

  #writtenOf(networks: readonly string[], used: Set<string>): Prefixes {
    const key = networks.join(' ');
    used.add(key);
    const made = this.#written.get(key) ?? new this.#native(networks);
    this.#written.set(key, made);
    return made;
  }
}

const contentOf = ({ networks, files }: ListConfig): string =>
  JSON.stringify([networks, files.map(({ path }) => path)]);

/** An empty list of those allowed would allow everybody. */
const nobodyAllowed = ({ files }: ListConfig): Problem => ({
  file: files.at(-1)?.path ?? null,
  line: null,
  column: null,
  path: files.at(-1)?.at ?? '',
  message: 'has no network: with an empty list everybody could connect',
});

/** As the gate takes them. `idOf`: of a listener. */
export function admissionLists(
  lists: ListSet,
  idOf: (listener: string) => number,
): Parameters<Admission['setLists']>[0] {
  const owners = new Set(lists.flatMap(({ listener }) => listener ?? []));
  return {
    all: listsOf(lists, null),
    listeners: [...owners].map((listener) => ({ id: idOf(listener), ...listsOf(lists, listener) })),
  };
}

function listsOf(lists: ListSet, owner: string | null): AdmissionLists {
  const of = (wanted: ListName) =>
    lists.find(({ name, listener }) => name === wanted && listener === owner)?.networks ?? null;
  return { trusted: of('trusted'), denied: of('denied'), allowed: of('allowed') };
}
