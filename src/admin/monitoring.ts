/**
 * The monitoring servers: /metrics, /health/live and /health/ready, read-only, on one port or two. They must answer
 * while the data plane is at its limits and must not exhaust the process themselves: connections, requests and time
 * are bounded.
 */
import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { MonitoringConfig } from '../model/config.js';
import type { AddressText } from '../model/session.js';
import { type Answer, json, send } from './answer.js';
import type { Control } from './control.js';
import { live, metrics, ready } from './handlers/monitoring.js';
import { refuseMalformed } from './malformed.js';
import { Visitors } from './visitors.js';

export const monitoringLimits = {
  headerBytesMax: 8192,
  requestTimeMsMax: 5000,
  /** How often it is looked whether this is over; also in an idle daemon. */
  lookMs: 3000,
  /** Socket timeout without progress, for clients that do not read their response. */
  idleMsMax: 5000,
  /** Pipelined requests would be answered at once, and their responses buffered until they are read. */
  requestsPerConnectionMax: 1,
} as const;

type Resource = (control: Control) => Answer | Promise<Answer>;
type Resources = Readonly<Record<string, Resource>>;

const metricsResources: Resources = { '/metrics': metrics };

const healthResources: Resources = { '/health/live': live, '/health/ready': ready };

interface Address {
  readonly host: string;
  readonly port: number;
}

export interface OpenedSocket {
  readonly fd: number;
  readonly bound: AddressText;
}

/**
 * Opens a listening socket on an address; throws an error that says why it can not. `ours`:
 * ports that the monitoring servers hold themselves.
 */
export type OpenSocket = (site: NamedSite, ours: readonly number[]) => OpenedSocket;

export interface NamedSite {
  readonly address: Address;
  /** What is served there, as names of sockets. */
  readonly names: readonly string[];
}

/** What is served on an address. */
interface Site extends NamedSite {
  resources: Resources;
}

interface OpenSite extends Site, OpenedSocket {
  readonly server: Server;
}

/** One server per address; those of a changed configuration are opened before the old ones are closed. */
export class MonitoringServers {
  readonly #control: Control;
  readonly #open: OpenSocket;
  readonly #visitors = new Visitors();
  #sites: readonly OpenSite[] = [];
  /** Of a configuration that is prepared; null: nothing is. */
  #next: readonly OpenSite[] | null = null;
  /** Servers of sites that are open and not to be served yet. */
  #waiting: (() => void)[] | null = null;
  #isClosed = false as boolean;

  constructor(control: Control, open: OpenSocket) {
    this.#control = control;
    this.#open = open;
  }

  /** Connections closed so far to make room for newer ones. */
  get evicted(): number {
    return this.#visitors.evicted;
  }

  /** Listening sockets, for another process. */
  get sockets(): readonly { readonly address: Address; readonly fd: number }[] {
    return this.#sites.map(({ address, fd }) => ({ address, fd }));
  }

  /** Where it listens once what is prepared is in force. */
  get nextAddresses(): readonly AddressText[] {
    return (this.#next ?? this.#sites).map(({ bound }) => bound);
  }

  /** Opens sockets and serves nothing until `begin`: connections wait. */
  hold(): void {
    this.#waiting ??= [];
  }

  begin(): void {
    const waiting = this.#waiting ?? [];
    this.#waiting = null;
    for (const serve of waiting) serve();
  }

  /** Another process goes on with the sockets; requests under way are answered. */
  release(): void {
    for (const { server } of this.#sites) server.close();
  }

  /** Rejects with the error of an address that can not be opened; nothing has changed then. */
  async prepare(config: MonitoringConfig): Promise<{ commit(): void; discard(): void }> {
    const wanted = sites(config);
    const opened: OpenSite[] = [];
    const discard = () => {
      this.#next = null;
      closeAll(opened);
    };
    try {
      for (const site of wanted) {
        if (this.#at(site.address) === undefined) opened.push(await this.#openSite(site));
      }
    } catch (error) {
      discard();
      throw error;
    }
    this.#next = [...wanted.flatMap(({ address }) => this.#at(address) ?? []), ...opened];
    return { commit: () => this.#commit(wanted, opened), discard };
  }

  /** Idempotent; what is committed later is closed at once. */
  close(): void {
    this.#isClosed = true;
    closeAll(this.#sites);
    this.#sites = [];
  }

  #commit(wanted: readonly Site[], opened: readonly OpenSite[]): void {
    const gone = new Set(this.#sites);
    const kept = wanted.flatMap(({ address, resources }) => {
      const site = this.#at(address);
      if (site === undefined) return [];
      site.resources = resources;
      gone.delete(site);
      return [site];
    });
    this.#sites = [...kept, ...opened];
    this.#next = null;
    closeAll([...gone]);
    if (this.#isClosed) this.close();
  }

  #at({ host, port }: Address): OpenSite | undefined {
    return this.#sites.find(({ address }) => address.host === host && address.port === port);
  }

  async #openSite(site: Site): Promise<OpenSite> {
    const ours = this.#sites.map(({ address }) => address.port);
    const server = createSite(() => open.resources, this.#control, this.#visitors);
    const open: OpenSite = { ...site, server, ...this.#open(site, ours) };
    const listen = () => server.listen({ fd: open.fd });
    if (this.#waiting) this.#waiting.push(listen);
    else await once(listen(), 'listening');
    // accept(2) failed, for example EMFILE: the client loses its connection, the server continues.
    server.on('error', () => {});
    return open;
  }
}

function closeAll(sites: readonly OpenSite[]): void {
  for (const { server } of sites) {
    server.close();
    server.closeAllConnections();
  }
}

/** Metrics and health share a server when host and port are equal. */
function sites({ metrics, health }: MonitoringConfig): Site[] {
  if (metrics && health && metrics.host === health.host && metrics.port === health.port) {
    const names = ['monitoring', 'metrics', 'health'];
    return [{ address: metrics, names, resources: { ...metricsResources, ...healthResources } }];
  }
  return [
    ...(metrics ? [{ address: metrics, names: ['metrics', 'monitoring'], resources: metricsResources }] : []),
    ...(health ? [{ address: health, names: ['health', 'monitoring'], resources: healthResources }] : []),
  ];
}

function createSite(resources: () => Resources, control: Control, visitors: Visitors): Server {
  const server = createServer(
    {
      maxHeaderSize: monitoringLimits.headerBytesMax,
      headersTimeout: monitoringLimits.requestTimeMsMax,
      requestTimeout: monitoringLimits.requestTimeMsMax,
      connectionsCheckingInterval: monitoringLimits.lookMs,
    },
    (request, response) => {
      visitors.asked(request.socket);
      void serve(request, response, resources(), control);
    },
  );
  server.on('connection', (socket) => visitors.admit(socket));
  server.on('clientError', refuseMalformed(monitoringLimits.headerBytesMax));
  server.maxRequestsPerSocket = monitoringLimits.requestsPerConnectionMax;
  server.setTimeout(monitoringLimits.idleMsMax);
  return server;
}

async function serve(
  request: IncomingMessage,
  response: ServerResponse,
  resources: Resources,
  control: Control,
): Promise<void> {
  const answer = await answerTo(request, resources, control).catch((error: unknown) =>
    json(500, { error: String(error) }),
  );
  send(response, answer);
  response.end();
}

async function answerTo(
  { method, url }: IncomingMessage,
  resources: Resources,
  control: Control,
): Promise<Answer> {
  const path = url?.split('?')[0] ?? '';
  const resource = Object.hasOwn(resources, path) ? resources[path] : undefined;
  if (!resource)
    return json(404, { error: `nothing at ${path}; there is ${Object.keys(resources).join(', ')}` });
  if (method !== 'GET' && method !== 'HEAD')
    return json(405, { error: 'GET and HEAD only' }, { allow: 'GET, HEAD' });
  return resource(control);
}
