/** The primary's registry of ids: a number per name, never reused. */
import { createHash } from 'node:crypto';
import {
  type IdKind,
  type IdNames,
  type Ids,
  type IdsByName,
  type Named,
  NONE,
  OTHER,
  type PlanIds,
} from '../model/ids.js';
import type { KcpProfile } from '../model/kcp.js';

/** Name of the shared row; a listener configured with this name is counted in it too. */
const OTHER_NAME = '(other)';

class NameTable {
  readonly #names: string[] = [];
  readonly #ids = new Map<string, number>();

  constructor() {
    this.#names[NONE] = '';
    this.#names[OTHER] = OTHER_NAME;
    this.#ids.set(OTHER_NAME, OTHER);
  }

  /** `key`: unique key, where names are not (the same endpoint in several upstreams). */
  idOf(name: string, key = name): number {
    const known = this.#ids.get(key);
    if (known !== undefined) return known;
    const id = this.#names.push(name) - 1;
    this.#ids.set(key, id);
    return id;
  }

  nameOf(id: number): string {
    return this.#names[id] ?? '';
  }
}

/** The same endpoint may be in several upstreams. */
const endpointKey = (upstream: number, name: string): string => `${upstream} ${name}`;

/** Its secrets are not kept. */
const digestOf = (profile: KcpProfile): string =>
  createHash('sha256').update(JSON.stringify(profile)).digest('hex');

export class IdRegistry implements Ids, IdsByName, IdNames {
  readonly #tables: Readonly<Record<IdKind, NameTable>> = {
    listener: new NameTable(),
    protocol: new NameTable(),
    upstream: new NameTable(),
    endpoint: new NameTable(),
    kcp: new NameTable(),
  };

  listener(name: string): number {
    return this.#tables.listener.idOf(name);
  }

  of({ listeners, protocols, upstreams, kcp: profiles = [] }: Named): PlanIds {
    const { listener, protocol, upstream, endpoint, kcp } = this.#tables;
    return {
      listeners: listeners.map(({ name }) => listener.idOf(name)),
      protocols: protocols.map(({ id }) => protocol.idOf(id)),
      upstreams: upstreams.map(({ name, key }) => upstream.idOf(name, key)),
      endpoints: upstreams.map(({ name: owner, key, endpoints }) =>
        endpoints.map(({ name }) => endpoint.idOf(name, endpointKey(upstream.idOf(owner, key), name))),
      ),
      kcp: profiles.map((profile) => kcp.idOf(profile.name, digestOf(profile))),
    };
  }

  idOf(kind: IdKind, name: string, owner = NONE): number {
    const key = kind === 'endpoint' && name !== OTHER_NAME ? endpointKey(owner, name) : name;
    return this.#tables[kind].idOf(name, key);
  }

  nameOf(kind: IdKind, id: number): string {
    return this.#tables[kind].nameOf(id);
  }
}
