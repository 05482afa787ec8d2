/** Who has contributed what is in force, by the names that a configuration has for it. Pure. */
import type { Document } from '../model/config.js';
import { type Contribution, type Fragment, provenance } from './contribution.js';

/** Provenance, such as `docker: container web-1, label proxy.web.port`. */
export interface Origin {
  readonly from: string;
  /** By name of the endpoint. */
  readonly endpoints: ReadonlyMap<string, string>;
}

/** By upstream; those of the file are not there. */
export function originsOf({ provider, fragments }: Contribution): Map<string, Origin> {
  const of = (fragment: Fragment, path: string, target: string, upstream: unknown): Origin => ({
    from: provenance(provider, fragment, path),
    endpoints: new Map(
      endpointsIn(upstream).map((name, index) => [
        name,
        provenance(provider, fragment, `${target}.endpoints[${index}]`),
      ]),
    ),
  });
  return new Map(
    fragments.flatMap((fragment) => [
      ...Object.entries(mapping(fragment.document.upstreams)).map(([name, upstream]): [string, Origin] => {
        const path = `upstreams.${name}`;
        return [name, of(fragment, path, path, upstream)];
      }),
      ...list(fragment.document.forwards).map((forward, index): [string, Origin] => {
        const { name, target } = mapping(forward);
        const path = `forwards[${index}]`;
        return [String(name), of(fragment, path, `${path}.target`, target)];
      }),
    ]),
  );
}

function endpointsIn(upstream: unknown): string[] {
  return list(mapping(upstream).endpoints).map((endpoint) =>
    typeof endpoint === 'string' ? endpoint : String(mapping(endpoint).address),
  );
}

const mapping = (value: unknown): Document =>
  typeof value === 'object' && value !== null ? (value as Document) : {};

const list = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : []);
