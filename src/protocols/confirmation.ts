/** The three answers of a confirmation. */
import type { Confirmation } from '../model/protocol.js';

export const match: Confirmation = { verdict: 'match' };
export const no: Confirmation = { verdict: 'no' };

/** Ask again with so many bytes in all. */
export const more = (bytesNeeded: number): Confirmation => ({ verdict: 'more', bytesNeeded });
