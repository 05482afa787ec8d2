/** HAProxy, identifying the same by first bytes. */
import { get } from '../../../test/support/daemon.js';
import { freePort } from '../../../test/support/ports.js';
import { childrenOf } from '../../../test/support/proc.js';
import { eventually } from '../../../test/support/wait.js';
import { CONNECTIONS_MAX, IDENTIFY_SECONDS, type Rival, type Setting } from '../contender.js';
import { haproxyVersion } from '../versions.js';
import { started } from './started.js';

/**
 * The best setting depends on the load: `splice-auto` copies most of a download, and forced splicing makes small
 * messages more expensive. Smart accept and connect, other buffer sizes, and pipes for short connections gain nothing.
 */
const tunings = {
  messages: { global: '', defaults: 'option splice-auto' },
  bulk: {
    global: 'tune.pipesize 1048576',
    defaults: 'option splice-request\n  option splice-response',
  },
  default: { global: '', defaults: '' },
};

const openings = {
  first: { http: 'req.payload(0,4) -m str "GET "', redis: 'req.payload(0,1) -m str "*"' },
  whole: { http: 'req.proto_http', redis: String.raw`req.payload(0,0) -m reg ^\*[0-9]+\r\n\$[0-9]+\r\n` },
};

/** Condition → backend; what matches none is rejected. */
function routesOf({ sni, wholeOpenings }: Setting): string {
  const { http, redis } = openings[wholeOpenings ? 'whole' : 'first'];
  const conditions = sni ? [`req.ssl_sni -i ${sni}`] : [http, redis];
  const accepted = sni ? ['req.ssl_hello_type 1'] : conditions;
  return [
    ...accepted.map((condition) => `tcp-request content accept if { ${condition} }`),
    'tcp-request content reject if WAIT_END',
    ...conditions.map((condition) => `use_backend endpoint if { ${condition} }`),
  ].join('\n  ');
}

const metricsOn = (port: number): string => `
frontend metrics
  mode http
  bind 127.0.0.1:${port}
  http-request use-service prometheus-exporter
`;

/** As many threads as anyport has workers. */
const configuration = (port: number, target: number, setting: Setting, metricsPort?: number): string => `
global
  nbthread ${setting.workers ?? 1}
  maxconn ${CONNECTIONS_MAX}
  maxpipes 100
  ${setting.accessLog ? 'log stdout format raw local0' : ''}
  ${tunings[setting.tuning].global}
defaults
  mode tcp
  ${setting.accessLog ? 'log global\n  option tcplog' : ''}
  ${tunings[setting.tuning].defaults}
  timeout connect 5s
  timeout client 1h
  timeout server 1h
frontend bench
  bind 127.0.0.1:${port} backlog 4096
  ${setting.refused ? `tcp-request connection reject if { src ${setting.refused} }` : ''}
  tcp-request inspect-delay ${setting.identifySeconds ?? IDENTIFY_SECONDS}s
  ${routesOf(setting)}
backend endpoint
  server endpoint 127.0.0.1:${target}
${metricsPort === undefined ? '' : metricsOn(metricsPort)}`;

export const haproxy: Rival = {
  name: 'HAProxy',
  version: haproxyVersion,
  packages: 'haproxy',
  lacks: ({ setting }) => (setting.listeners === undefined ? null : 'has other metrics'),
  async start(target, setting) {
    const metricsPort = setting.operated && (await freePort());
    const contender = await started({
      name: 'HAProxy',
      wrapper: setting.wrapper,
      logs: setting.accessLog,
      configure: (port) => configuration(port, target, setting, metricsPort),
      command: (_port, file) => ['haproxy', ...(setting.operated ? ['-W'] : []), '-db', '-f', file],
    });
    if (metricsPort === undefined) return contender;
    const scrape = async () => (await get(metricsPort, '/metrics')).text();
    return { ...contender, scrape, reload: () => reload(contender.pid as number) };
  },
};

/** Its master starts another worker, which takes the listening sockets; the old one keeps its sessions. */
async function reload(master: number): Promise<void> {
  const newest = () => childrenOf(master).at(-1);
  const before = newest();
  process.kill(master, 'SIGUSR2');
  await eventually('HAProxy to reload', () => newest() !== undefined && newest() !== before);
}
