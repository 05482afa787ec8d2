/** anyport as users run it, of this tree or of another one. */
import { resolve } from 'node:path';
import { type Daemon, startDaemon, type TestConfig } from '../../../test/support/daemon.js';
import { total } from '../../../test/support/metrics.js';
import { freePort } from '../../../test/support/ports.js';
import { cpuNanosecondsEver } from '../../../test/support/proc.js';
import {
  type Booked,
  CONNECTIONS_MAX,
  type Contender,
  IDENTIFY_SECONDS,
  NOWHERE,
  type Setting,
} from '../contender.js';

export const OURS = 'anyport';
/** Name of the contender that is another build of anyport. */
export const BESIDE = 'beside';

/** `checkout`: folder of another build, e.g. the previous release. */
export async function startAnyport(target: number, setting: Setting, checkout?: string): Promise<Contender> {
  const addresses = await addressesFor(setting);
  const config = configuration(`127.0.0.1:${target}`, addresses, setting);
  const { wrapper, collects } = setting;
  const began = Date.now();
  const daemon = await startDaemon(config, {
    asInstalled: true,
    ...(wrapper && { wrapper }),
    ...(collects && {
      environment: { NODE_OPTIONS: `--require ${resolve(`bench/system/contenders/${collects}.cjs`)}` },
    }),
    ...(checkout !== undefined && { checkout }),
  });
  const ready = daemon.lines.find(({ msg }) => msg === 'ready');
  const seconds = (Date.parse(String(ready?.time)) - began) / 1000;
  return {
    name: checkout === undefined ? OURS : BESIDE,
    port: daemon.port,
    pid: daemon.pid,
    start: { cpuNanoseconds: cpuNanosecondsEver(daemon.pid), seconds },
    books: (ends) => booksOf(daemon, ends),
    scrape: async () => (await daemon.get('/metrics')).text(),
    reload: reloading(daemon, config),
    ...(addresses && { listeners: addresses }),
    stop: () => daemon.stop(),
  };
}

/** Refuses another network each time. */
function reloading(daemon: Daemon, config: TestConfig): () => Promise<void> {
  let reloads = 0;
  return async () => {
    reloads += 1;
    const { msg } = await daemon.reload({
      ...config,
      security: { ip_blacklist: [`192.0.2.${reloads % 256}`] },
    });
    if (msg !== 'reloaded') throw new Error(msg);
  };
}

function configuration(
  target: string,
  addresses: readonly string[] | null,
  { workers = 1, accessLog = false, identifySeconds = IDENTIFY_SECONDS, refused, sni, operated }: Setting,
): TestConfig {
  return {
    server: {
      workers,
      max_connections: CONNECTIONS_MAX,
      identify_timeout: `${identifySeconds}s`,
      reload_on_change: operated ? false : undefined, // a key that the release before may not know
    },
    ...(addresses && {
      listeners: addresses.map((address, index) => ({ name: `listener-${index}`, address })),
    }),
    ...(sni ? named(sni, target) : { protocols: ['HTTP', 'Redis'].map((name) => ({ name, target })) }),
    ...(refused && { security: { ip_blacklist: [refused] } }),
    logging: { access_log: accessLog, access_log_rate: 100_000 },
  };
}

const named = (sni: string, target: string) => ({
  protocols: [{ name: 'TLS', target: NOWHERE }],
  routes: [{ when: { protocol: 'TLS', sni }, to: 'endpoint' }],
  upstreams: { endpoint: { endpoints: [target] } },
});

async function addressesFor({ listeners }: Setting): Promise<string[] | null> {
  if (listeners === undefined) return null;
  const port = await freePort();
  return Array.from({ length: listeners }, (_, index) => `127.1.${index >> 8}.${index & 255}:${port}`);
}

async function booksOf(daemon: Daemon, reasons: readonly string[]): Promise<Booked> {
  const samples = await daemon.metrics();
  const ended = reasons.map((reason) => [reason, total(samples, 'anyport_sessions_total', { reason })]);
  return { ended: Object.fromEntries(ended), lines: daemon.sessions.length };
}
