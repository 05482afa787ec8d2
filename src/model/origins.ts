/** Where the things of a configuration are said. Plain data. */
import type { AddressText } from './session.js';

export const originKinds = ['upstream', 'protocol', 'route', 'forward'] as const;
export type OriginKind = (typeof originKinds)[number];

/** `conf.d/web.yaml:12`, `docker: container web-1, label proxy.web.port`, `etcd: service web`, `--route SSH`. */
export type OriginText = string;

export interface Origin {
  readonly kind: OriginKind;
  /** As configured; of a route its key path in the whole, `routes[2]`. */
  readonly name: string;
  /** Null: the program that runs it, or nobody: the demonstration. */
  readonly from: OriginText | null;
  /** Names of the upstreams that it makes, if it makes any. */
  readonly upstreams: readonly string[];
  /** By name of the endpoint, where each may be said by somebody else. Absent: all are where the rest is. */
  readonly endpoints?: Readonly<Record<string, OriginText>>;
}

/** Of each kind in the order of the configuration. */
export type Origins = readonly Origin[];

/** Of an upstream of a Plan, and of each of its endpoints. */
export interface UpstreamOrigin {
  readonly name: string;
  /** As of an Origin. */
  readonly from: OriginText | null;
  readonly endpoints: readonly { readonly name: AddressText; readonly from: OriginText | null }[];
}

/** How much of a configuration one source says. */
export interface SaidBy {
  /** `conf.d/web.yaml`, `docker: container web-1`, `file_sd: /run/web.json`; null: as of an Origin. */
  readonly source: OriginText | null;
  readonly counts: Readonly<Record<OriginKind, number>>;
  /** Endpoints in force that it adds to what another source says. */
  readonly endpoints: number;
}
