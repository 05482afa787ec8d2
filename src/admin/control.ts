/** What the monitoring servers need from the primary. */

export interface Health {
  /** `ready`: all workers accept; `degraded`: some workers are being restarted, the others accept. */
  readonly status: 'starting' | 'ready' | 'degraded' | 'draining';
  readonly workers: { readonly wanted: number; readonly accepting: number };
  readonly listeners: readonly { readonly name: string; readonly address: string }[];
}

export interface Control {
  health(): Health;
  readonly metrics: { readonly contentType: string; scrape(): Promise<string> };
}
