/** Where the things of a configuration are said. Plain data. */

export const originKinds = ['upstream', 'protocol', 'route', 'forward'] as const;
export type OriginKind = (typeof originKinds)[number];

/** `conf.d/web.yaml:12`, `docker: container web-1, label proxy.web.port`, `--route SSH`. */
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

/** How much of a configuration one source says. */
export interface SaidBy {
  /** `conf.d/web.yaml`, `docker: container web-1`; null: as of an Origin. */
  readonly source: OriginText | null;
  readonly counts: Readonly<Record<OriginKind, number>>;
  /** Endpoints that it says of what another source has begun. */
  readonly endpoints: number;
}
