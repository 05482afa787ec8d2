/** Names, sessions and listeners that are taken: by the file, and by the fragments before. */
import { listenCount } from '../../base/address.js';
import { protocolById } from '../../protocols/index.js';
import { valuesOf } from '../../routing/values.js';
import { findAll, isMapping, type Path } from '../path.js';
import type { Unreadable } from '../source.js';
import { LISTENERS_MAX } from '../validate/listeners.js';
import { hasOwnUpstream } from '../validate/upstreams.js';

type Claim = { readonly key: string; readonly words: string; readonly path: Path };

export class Claims {
  readonly #owners = new Map<string, string>();
  /** Protocols that have a target in the file: what no route takes goes there. */
  readonly #targeted: ReadonlySet<string>;
  /** Protocols that the file names anywhere. */
  readonly #known: ReadonlySet<string>;
  /** Addresses that are listened on. */
  #listens: number;

  constructor(file: unknown) {
    for (const { key } of claimsOf(file)) this.#owners.set(key, 'the file');
    this.#targeted = new Set(
      itemsOf(file, 'protocols')
        .filter(({ value }) => 'target' in value || 'handler' in value)
        .map(({ value }) => String(value.name).toLowerCase()),
    );
    this.#listens = listensIn(file);
    this.#known = new Set(protocolsNamedIn(file).map(({ name }) => name));
  }

  /** What is wrong with a fragment; when nothing is, its names are taken. */
  take(fragment: unknown, by: string): Unreadable[] {
    const claims = claimsOf(fragment);
    const faults = claims.flatMap(({ key, words, path }): Unreadable[] => {
      const owner = this.#owners.get(key);
      return owner === undefined ? [] : [{ path, message: `${words} is there already, from ${owner}` }];
    });
    const listens = this.#listens + listensIn(fragment);
    // Ranges are small to write: thousands of them would take hours to check.
    if (listens > LISTENERS_MAX) faults.push({ path: ['forwards'], message: tooMany(listens) });
    faults.push(...this.#takenOver(fragment), ...this.#refined(fragment));
    if (faults.length > 0) return faults;
    this.#listens = listens;
    for (const { key } of claims) this.#owners.set(key, by);
    return [];
  }

  /** Routes go before targets: one that asks for nothing but the protocol would have all of its sessions. */
  #takenOver(fragment: unknown): Unreadable[] {
    if (this.#targeted.size === 0) return [];
    return itemsOf(fragment, 'routes').flatMap(({ path, value }) => {
      const when = isMapping(value.when) ? value.when : {};
      if (Object.entries(when).some(([name, wanted]) => isNarrow(name, wanted))) return [];
      const named = valuesOf(when.protocol as string | string[] | undefined).map((name) =>
        String(name).toLowerCase(),
      );
      const taken =
        named.length === 0 ? [...this.#targeted] : named.filter((name) => this.#targeted.has(name));
      if (taken.length === 0) return [];
      const message = `would take every session of \`${taken.join('`, `')}\`, which the file sends elsewhere: ask for a host, a name (SNI) or a path`;
      return [{ path, message }];
    });
  }

  /** What is recognised as a special case is no longer what the file has a word for. */
  #refined(fragment: unknown): Unreadable[] {
    return protocolsNamedIn(fragment).flatMap(({ path, name }): Unreadable[] => {
      const parent = protocolById(name)?.refines;
      if (parent === undefined || this.#known.has(name) || !this.#known.has(parent)) return [];
      const message = `would take sessions of \`${parent}\`, of which \`${name}\` is a special case, from the file: name \`${name}\` in its \`protocols\``;
      return [{ path, message }];
    });
  }
}

const tooMany = (listens: number): string =>
  `${listens} addresses to listen on, with those there are, are too many: at most ${LISTENERS_MAX}`;

/** Conditions that hold for a client as such, or for whatever it asks for. */
const WIDE = ['protocol', 'listener', 'source', 'time', 'not'];

/** Whether a condition holds for some of the things that a client may ask for, and not for all. */
const isNarrow = (name: string, wanted: unknown): boolean => {
  const values = valuesOf(wanted as string | string[] | undefined);
  return !WIDE.includes(name) && values.length > 0 && values.every((each) => !/^[*/.]*$/.test(String(each)));
};

/** Upstreams, protocols and forwards that are named; a name of an upstream may stand in any of the three. */
function claimsOf(tree: unknown): Claim[] {
  const upstreams = isMapping(tree) && isMapping(tree.upstreams) ? Object.keys(tree.upstreams) : [];
  return [
    ...upstreams.map((name) => claim('upstream', name, ['upstreams', name])),
    ...itemsOf(tree, 'protocols').flatMap(({ path, value }) => [
      { ...claim('protocol', String(value.name).toLowerCase(), path), words: `protocol \`${value.name}\`` },
      ...(hasOwnUpstream(value) ? [claim('upstream', String(value.name), path)] : []),
    ]),
    ...['forwards', 'listeners'].flatMap((section) =>
      itemsOf(tree, section)
        .filter(({ value }) => typeof value.name === 'string')
        .flatMap(({ path, value }) => [
          claim('listener', value.name as string, path),
          ...(section === 'forwards' ? [claim('upstream', value.name as string, path)] : []),
        ]),
    ),
  ];
}

const claim = (kind: string, name: string, path: Path): Claim => ({
  key: `${kind} ${name}`,
  words: `${kind} \`${name}\``,
  path,
});

/** In lower case, wherever a protocol is named: that makes it one of those that are recognised. */
const protocolsNamedIn = (tree: unknown): { readonly path: Path; readonly name: string }[] =>
  PROTOCOLS.flatMap((pattern) => findAll(tree, pattern)).flatMap(({ path, value }) =>
    typeof value === 'string' ? [{ path, name: value.toLowerCase() }] : [],
  );

const PROTOCOLS = [
  'protocols.[].name',
  ...['routes.[].when', 'routes.[].when.not', 'routes.[].when.not.[]'].flatMap((when) =>
    ['protocol', 'protocol.[]'].map((key) => `${when}.${key}`),
  ),
];

const listensIn = (tree: unknown): number =>
  LISTENS.flatMap((pattern) => findAll(tree, pattern)).reduce((sum, { value }) => sum + countIn(value), 0);

const LISTENS = ['server.listen', 'server.listen.[]', 'listeners.[].address', 'forwards.[].listen'];

/** Port numbers may be written as such; several with commas, where a list may stand. */
const countIn = (value: unknown): number =>
  typeof value === 'string'
    ? value.split(',').reduce((sum, each) => sum + listenCount(each.trim()), 0)
    : Number(typeof value === 'number');

interface Item {
  readonly path: Path;
  readonly value: Record<string, unknown>;
}

function itemsOf(tree: unknown, section: string): Item[] {
  const list = isMapping(tree) ? tree[section] : undefined;
  if (!Array.isArray(list)) return [];
  return list.flatMap((value, index): Item[] =>
    isMapping(value) ? [{ path: [section, index], value }] : [],
  );
}
