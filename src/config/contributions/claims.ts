/** Names and sessions that are taken: by the file, and by the fragments before. */
import { valuesOf } from '../../routing/values.js';
import { isMapping, type Path } from '../path.js';
import type { Fault } from './edge.js';

type Claim = { readonly key: string; readonly words: string; readonly path: Path };

export class Claims {
  readonly #owners = new Map<string, string>();
  /** Protocols that have a target in the file: what no route takes goes there. */
  readonly #targeted: ReadonlySet<string>;

  constructor(file: unknown) {
    for (const { key } of claimsOf(file)) this.#owners.set(key, 'the file');
    this.#targeted = new Set(
      itemsOf(file, 'protocols')
        .filter(({ value }) => 'target' in value || 'handler' in value)
        .map(({ value }) => String(value.name).toLowerCase()),
    );
  }

  /** What is wrong with a fragment; when nothing is, its names are taken. */
  take(fragment: unknown, by: string): Fault[] {
    const claims = claimsOf(fragment);
    const faults = claims.flatMap(({ key, words, path }): Fault[] => {
      const owner = this.#owners.get(key);
      return owner === undefined ? [] : [{ path, message: `${words} is there already, from ${owner}` }];
    });
    faults.push(...this.#takenOver(fragment));
    if (faults.length === 0) for (const { key } of claims) this.#owners.set(key, by);
    return faults;
  }

  /** Routes go before targets: one that asks for nothing but the protocol would have all of its sessions. */
  #takenOver(fragment: unknown): Fault[] {
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
}

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
      ...(makesUpstream(value) ? [claim('upstream', String(value.name), path)] : []),
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

const makesUpstream = ({ target, handler }: Record<string, unknown>): boolean =>
  handler !== undefined || (target !== undefined && (typeof target !== 'string' || /[:,]/.test(target)));

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
