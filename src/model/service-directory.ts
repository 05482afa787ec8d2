/** Services by name as nodes have registered them, for whoever turns `service:NAME` into endpoints. */
import type { Discovered, DiscoveredEndpoint } from './config.js';

export interface ServiceDirectory {
  /** Resolves when the first list is there or has failed. */
  ready(): Promise<void>;
  /** Undefined: nothing has ever been known of it. */
  find(service: string): Discovered<readonly DiscoveredEndpoint[]> | undefined;
  /** Returns a function that ends it. */
  onChange(listener: () => void): () => void;
}
