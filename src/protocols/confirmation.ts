/** The answers of a confirmation. */
import type { Confirmation } from '../model/protocol.js';

export const match: Confirmation = { verdict: 'match' };
export const no: Confirmation = { verdict: 'no' };

/** `bytesNeeded`: prefix length at which to ask again. */
export const more = (bytesNeeded: number): Confirmation => ({ verdict: 'more', bytesNeeded });
