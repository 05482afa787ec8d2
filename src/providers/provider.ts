/** The contract of a provider: a source of addresses that the configuration refers to by name. */
import type { Discovery } from '../model/config.js';

export interface Provider {
  /**
   * Resolves with the first discovery, complete or not. After that, `onChange` gets the whole discovery upon each
   * change.
   */
  start(onChange: (discovery: Discovery) => void): Promise<Discovery>;
  stop(): void;
}
