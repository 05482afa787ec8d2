/** Each worker finds out by itself that an endpoint is down: the first one is news, and the first that reaches it again. */
import type { EndpointChange } from '../model/report.js';

export class EndpointStates {
  readonly #down = new Set<string>();

  isNews({ upstream, endpoint, state }: EndpointChange): boolean {
    const key = `${upstream} ${endpoint}`;
    if (state === 'up') return this.#down.delete(key);
    if (this.#down.has(key)) return false;
    this.#down.add(key);
    return true;
  }
}
