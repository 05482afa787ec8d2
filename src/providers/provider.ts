/** The contract of a provider: where addresses come from that the configuration file names but does not hold. */
import type { Discovery } from '../model/config.js';

export interface Provider {
  /**
   * Resolves with what is known at first, complete or not. Calls `onChange` with all that is known, later, each
   * time it has changed.
   */
  start(onChange: (discovery: Discovery) => void): Promise<Discovery>;
  stop(): void;
}
