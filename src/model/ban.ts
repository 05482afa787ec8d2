/** Sources that are refused for a time, as operators see them. Plain data, fit for JSON. */

/** More attempts or failed identifications than the guard allows, an operator, or another node of the cluster. */
export const banCauses = ['attempts', 'failures', 'operator', 'cluster'] as const;
export type BanCause = (typeof banCauses)[number];

export interface Ban {
  /** An IPv4 address, or the /64 of an IPv6 one. */
  readonly address: string;
  readonly cause: BanCause;
  /** In the words of the operator who has banned it, or which node has; null: none. */
  readonly reason: string | null;
  /** ISO 8601, both. */
  readonly since: string;
  readonly until: string;
  readonly leftSeconds: number;
}

export const banLimits = {
  /** Listed at once. */
  rowsDefault: 100,
  rowsMax: 10_000,
  /** How long an operator may ban: 30 days. */
  forMsMax: 720 * 3_600_000,
  reasonCharactersMax: 200,
} as const;

/** What an operator asks for. */
export interface BanRequest {
  readonly ip: string;
  /** A duration; default ten minutes. */
  readonly for?: string;
  readonly reason?: string;
}

export interface BanList {
  /** The oldest first. */
  readonly bans: readonly Ban[];
  /** All there are. */
  readonly active: number;
}

export type BanResult =
  | { readonly result: 'banned'; readonly ban: Ban }
  /** `path`: of the request. */
  | { readonly result: 'invalid'; readonly path: keyof BanRequest; readonly message: string }
  /** It is in `security.ip_whitelist`. */
  | { readonly result: 'trusted' }
  /** Too many are banned already. */
  | { readonly result: 'full' };

export type LiftResult =
  | { readonly result: 'lifted'; readonly ban: Ban }
  | { readonly result: 'not_banned' }
  /** No address. */
  | { readonly result: 'invalid'; readonly message: string };
