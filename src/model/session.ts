/**
 * Vocabulary of a session: stages, enders, reasons, closings. Types and name tables only.
 *
 * List order is the numbering on the native border (native/desk/codes.h); a test compares the two.
 */

/** The stages of a session, in order. */
export const stages = ['accept', 'admit', 'sniff', 'classify', 'route', 'pick', 'connect', 'relay'] as const;
export type Stage = (typeof stages)[number];

/** Who ended a session. */
export const enders = ['client', 'upstream', 'timeout', 'proxy', 'admin'] as const;
export type Ender = (typeof enders)[number];

/** Why a session ended. Every session ends exactly once, with exactly one of these. */
export const reasons = [
  'done',
  'reset',
  'denied',
  'rate_limited',
  'banned',
  'over_limit',
  'identify_timeout',
  'unknown_protocol',
  'no_route',
  'rejected',
  'no_endpoint',
  'connect_failed',
  'connect_timeout',
  'idle_timeout',
  'half_close_timeout',
  'drain_timeout',
  'admin',
  'handler_error',
  'client_gone',
  'upstream_gone',
] as const;
export type Reason = (typeof reasons)[number];

/** Reasons of connections that are refused before a byte is read: those of a range of `reasons`. */
export const refusals = [
  'denied',
  'rate_limited',
  'banned',
  'over_limit',
] as const satisfies readonly Reason[];

/** What has refused a connection, by the key of the configuration that says so; empty: no check has. */
export const checks = [
  '',
  'ip_blacklist',
  'allow_only',
  'ban',
  'rate_limit',
  'rate_limit in all',
  'max_connections_per_ip',
  'max_connections of the listener',
  'max_connections',
  'max_flows_per_ip',
  'max_flows',
] as const;
export type Check = (typeof checks)[number];

/**
 * How the client's side is closed when the proxy ends a session: FIN, RST, nothing sent (`drop`), or later: held open
 * and unread (`tarpit`).
 */
export const closings = ['close', 'reset', 'drop', 'tarpit'] as const;
export type Closing = (typeof closings)[number];

/** Address in text form: `192.0.2.7:443`, `[2001:db8::1]:443`, `unix:/run/a.sock`. */
export type AddressText = string;
