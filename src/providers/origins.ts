/** Who has contributed what is in force, by the names that a configuration has for it. Pure. */
import { parseListen } from '../base/address.js';
import type { Document } from '../model/config.js';
import { type Contribution, type Fragment, provenance } from './contribution.js';

/** Provenance, such as `docker: container web-1, label proxy.web.port`. */
export interface Origin {
  readonly from: string;
  /** By name of the endpoint. */
  readonly endpoints: ReadonlyMap<string, string>;
}

/** By upstream; those of the file are not there. */
export function originsOf({ provider, fragments }: Contribution<Fragment>): Map<string, Origin> {
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
      ...list(fragment.document.forwards).flatMap((forward, index): [string, Origin][] => {
        const path = `forwards[${index}]`;
        const origin = of(fragment, path, `${path}.target`, mapping(forward).target);
        return namesOfForward(mapping(forward)).map((name) => [name, origin]);
      }),
      ...list(fragment.document.protocols).map((protocol, index): [string, Origin] => {
        const path = `protocols[${index}]`;
        const { name, target } = mapping(protocol);
        return [String(name), of(fragment, path, `${path}.target`, target)];
      }),
    ]),
  );
}

/** Names of the listeners and upstreams that a forward may make; where a range of ports has one name, it stands before each. */
export function namesOfForward({ name, listen, scheme }: Document): string[] {
  const sockets = parseListen(String(listen)) ?? [];
  const portOf = (text: string) => text.slice(text.lastIndexOf(':') + 1);
  if (typeof name !== 'string') return sockets.map(({ text }) => (scheme === 'udp' ? `${text}/udp` : text));
  return [name, ...sockets.map(({ text }) => `${name}:${portOf(text)}`)];
}

/** Of an upstream, or of what a target says in its place. */
function endpointsIn(upstream: unknown): string[] {
  if (typeof upstream === 'string') return upstream.split(',').map((each) => each.trim());
  const listed = Array.isArray(upstream) ? upstream : list(mapping(upstream).endpoints);
  return listed.map((endpoint) =>
    typeof endpoint === 'string' ? endpoint : String(mapping(endpoint).address),
  );
}

const mapping = (value: unknown): Document =>
  typeof value === 'object' && value !== null ? (value as Document) : {};

const list = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : []);
