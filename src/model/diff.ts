/** The difference between two configurations, as plain data: what `check --diff`, a reload's log line and the API show. */

export type DiffKind =
  | 'setting'
  | 'listener'
  | 'protocol'
  | 'route'
  | 'upstream'
  | 'endpoint'
  | 'profile'
  | 'user';

export interface FieldChange {
  /**
   * Key in the file's spelling: `balance`, `tcp.keepalive`. `rank` of a protocol and `order` of a route are places in their list:
   * of routes, among those that are in both configurations.
   */
  readonly key: string;
  /** Plain data in the file's form (`5s`, `32KiB`); null: there was none. */
  readonly from: unknown;
  /** As `from`; null: there is none any more. */
  readonly to: unknown;
}

export interface DiffItem {
  readonly kind: DiffKind;
  /** Name in the later configuration, and of something removed that in the earlier: `web`, `routes[2]`, `server.workers`. */
  readonly name: string;
  /** Name of an endpoint's upstream; null for all else. */
  readonly upstream: string | null;
  readonly change: 'added' | 'removed' | 'changed';
  /** What it is, in one line: a listener's address, a route's conditions and target. Empty for settings. */
  readonly about: string;
  /** Empty unless changed. */
  readonly fields: readonly FieldChange[];
}

/** In the order of the kinds; empty: the configurations are the same. */
export type Diff = readonly DiffItem[];
