/** Shared wording of validation messages. */
import { withoutCredentials } from './secret-keys.js';

const SHOWN_MAX = 60;

/** A value for messages: its text, truncated, or its kind. */
export function show(value: unknown): string {
  if (value === undefined || value === null) return 'nothing';
  if (Array.isArray(value)) return value.length === 0 ? 'an empty list' : 'a list';
  if (typeof value === 'object') return 'a mapping';
  const text = typeof value === 'string' ? JSON.stringify(withoutCredentials(value)) : String(value);
  return text.length > SHOWN_MAX ? `${text.slice(0, SHOWN_MAX)}…` : text;
}

export function expectedGot(expected: string, value: unknown): string {
  return value === undefined ? `missing: expected ${expected}` : `expected ${expected}, got ${show(value)}`;
}

/** Appends the specific reason, if known. */
export function withFault(message: string, fault: string | null): string {
  return fault === null ? message : `${message}: ${fault}`;
}
