/**
 * The monitoring servers: /metrics, /health/live and /health/ready, read-only, on one port or two. They must answer
 * while the data plane is at its limits and must not exhaust the process themselves: connections, requests and time
 * are bounded.
 */
import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { MonitoringConfig } from '../model/config.js';
import type { Control } from './control.js';
import { Visitors } from './visitors.js';

export const monitoringLimits = {
  headerBytesMax: 8192,
  requestTimeMsMax: 5000,
  /** Socket timeout without progress, for clients that do not read their response. */
  idleMsMax: 5000,
  /** Pipelined requests would be answered at once, and their responses buffered until they are read. */
  requestsPerConnectionMax: 1,
} as const;

interface Answer {
  readonly status: number;
  readonly contentType: string;
  readonly body: string;
}

type Resource = (control: Control) => Answer | Promise<Answer>;
type Resources = Readonly<Record<string, Resource>>;

const metricsResources: Resources = {
  '/metrics': async ({ metrics }) => ({
    status: 200,
    contentType: metrics.contentType,
    body: await metrics.scrape(),
  }),
};

const healthResources: Resources = {
  // Liveness: a response from this thread is enough.
  '/health/live': (control) => json(200, { ...control.health(), status: 'live' }),
  '/health/ready': (control) => {
    const health = control.health();
    const serves = health.status === 'ready' || health.status === 'degraded';
    return json(serves ? 200 : 503, health);
  },
};

export interface Monitoring {
  /** Connections closed so far to make room for newer ones. */
  readonly evicted: number;
  close(): void;
}

/**
 * When an address can not be bound: closes the servers already listening and rejects with an error that names the
 * address.
 */
export async function startMonitoring(config: MonitoringConfig, control: Control): Promise<Monitoring> {
  const servers: Server[] = [];
  const visitors = new Visitors();
  const close = () => {
    for (const server of servers) {
      server.close();
      server.closeAllConnections();
    }
  };
  try {
    for (const { address, resources } of sites(config)) {
      servers.push(await listen(createSite(resources, control, visitors), address));
    }
  } catch (error) {
    close();
    throw error;
  }
  return {
    close,
    get evicted() {
      return visitors.evicted;
    },
  };
}

interface Address {
  readonly host: string;
  readonly port: number;
}

/** One server per address; metrics and health share one when host and port are equal. */
function sites({ metrics, health }: MonitoringConfig): { address: Address; resources: Resources }[] {
  if (metrics && health && metrics.host === health.host && metrics.port === health.port) {
    return [{ address: metrics, resources: { ...metricsResources, ...healthResources } }];
  }
  return [
    ...(metrics ? [{ address: metrics, resources: metricsResources }] : []),
    ...(health ? [{ address: health, resources: healthResources }] : []),
  ];
}

function createSite(resources: Resources, control: Control, visitors: Visitors): Server {
  const server = createServer(
    {
      maxHeaderSize: monitoringLimits.headerBytesMax,
      headersTimeout: monitoringLimits.requestTimeMsMax,
      requestTimeout: monitoringLimits.requestTimeMsMax,
      connectionsCheckingInterval: 1000,
    },
    (request, response) => {
      visitors.asked(request.socket);
      void serve(request, response, resources, control);
    },
  );
  server.on('connection', (socket) => visitors.admit(socket));
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
  response.shouldKeepAlive = false; // sends Connection: close
  if (answer.status === 405) response.setHeader('allow', 'GET, HEAD');
  response.writeHead(answer.status, {
    'content-type': answer.contentType,
    'content-length': Buffer.byteLength(answer.body),
    'cache-control': 'no-store',
  });
  response.end(answer.body); // Node sends no body for HEAD
}

async function answerTo(
  { method, url }: IncomingMessage,
  resources: Resources,
  control: Control,
): Promise<Answer> {
  const path = url?.split('?')[0] ?? '';
  const resource = resources[path];
  if (!resource)
    return json(404, { error: `nothing at ${path}; there is ${Object.keys(resources).join(', ')}` });
  if (method !== 'GET' && method !== 'HEAD') return json(405, { error: 'GET and HEAD only' });
  return resource(control);
}

function json(status: number, body: object): Answer {
  return { status, contentType: 'application/json', body: `${JSON.stringify(body)}\n` };
}

async function listen(server: Server, { host, port }: Address): Promise<Server> {
  try {
    server.listen(port, host);
    await once(server, 'listening');
    // accept(2) failed, for example EMFILE: the client loses its connection, the server continues.
    server.on('error', () => {});
    return server;
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    // IPv6 is disabled or not supported: the wildcard becomes 0.0.0.0.
    const noIpv6 = code === 'EAFNOSUPPORT' || code === 'EADDRNOTAVAIL';
    if (host === '::' && noIpv6) return listen(server, { host: '0.0.0.0', port });
    throw new Error(`can not serve monitoring: ${message}`, { cause: error });
  }
}
