/** Answers of the parsers of requests: each is given all bytes so far, and none keeps any. */
import type { Refused } from './refusals.js';

export interface More {
  readonly verdict: 'more';
  /** Length of all bytes at which to ask again. */
  readonly bytesNeeded: number;
}

/** `taken`: length of what has been read; what is behind it is not a part of it. */
export type Reading<Found> = (Found & { readonly taken: number }) | More | Refused;

export const more = (bytesNeeded: number): More => ({ verdict: 'more', bytesNeeded });
