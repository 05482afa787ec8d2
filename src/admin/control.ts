/** What the primary must offer to the monitoring servers. */

export interface Health {
  /** `ready`: all workers accept; `degraded`: some are being replaced, the others serve. */
  readonly status: 'starting' | 'ready' | 'degraded' | 'draining';
  readonly workers: { readonly wanted: number; readonly accepting: number };
  readonly listeners: readonly { readonly name: string; readonly address: string }[];
}

export interface Control {
  health(): Health;
  readonly metrics: { readonly contentType: string; scrape(): Promise<string> };
}
