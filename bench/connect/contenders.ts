/** A session of ours that is relayed, a tunnel of ours by CONNECT (the same process), and squid's. */
import { writeFileSync } from 'node:fs';
import { type Daemon, startDaemon } from '../../test/support/daemon.js';
import { freePort } from '../../test/support/ports.js';
import { type Running, startProgram } from '../../test/support/process.js';
import { tempFolder } from '../../test/support/temp.js';
import { CONNECTIONS_MAX } from '../system/contender.js';

export interface Contender {
  readonly name: ContenderName;
  readonly port: number;
  readonly pid: number;
  /** Port that a CONNECT names; null: what is sent reaches the endpoint as it is. */
  readonly tunnelTo: number | null;
}

const names = ['relayed', 'tunnel', 'squid'] as const;
export type ContenderName = (typeof names)[number];
export const contenderNames = (): readonly string[] => names;

export interface Contenders {
  readonly all: readonly Contender[];
  stop(): Promise<void>;
}

export async function startContenders(endpointPort: number, chosen: readonly string[]): Promise<Contenders> {
  const daemon = await startAnyport(endpointPort);
  const ours = { port: daemon.port, pid: daemon.pid };
  const squid = chosen.includes('squid') ? await startSquid() : null;
  const all: Contender[] = [
    { name: 'relayed', ...ours, tunnelTo: null },
    { name: 'tunnel', ...ours, tunnelTo: endpointPort },
    ...(squid === null ? [] : [{ name: 'squid', ...squid, tunnelTo: endpointPort } as const]),
  ];
  const stop = async () => {
    await squid?.stop();
    await daemon.stop();
  };
  return { all: all.filter(({ name }) => chosen.includes(name)), stop };
}

/** Requests that are not CONNECT go to the endpoint. */
const startAnyport = (endpointPort: number): Promise<Daemon> =>
  startDaemon(
    {
      server: { workers: 1, max_connections: CONNECTIONS_MAX },
      protocols: [{ name: 'HTTP', target: `127.0.0.1:${endpointPort}` }],
      connect_proxy: { allow: [`127.0.0.1:${endpointPort}`], allow_from: ['127.0.0.0/8'] },
      logging: { access_log: false },
    },
    { asInstalled: true },
  );

/** Nothing is logged or cached, no more is asked than in ours, and names of clients are not looked up (`%>A` of the defaults). */
const squidConfig = (port: number): string => `
http_port 127.0.0.1:${port}
visible_hostname squid.test
acl here src 127.0.0.0/8
http_access allow here
http_access deny all
access_log none
cache deny all
cache_mem 8 MB
client_db off
url_rewrite_extras "%>a"
store_id_extras "%>a"
pid_filename none
netdb_filename none
pinger_enable off
shutdown_lifetime 0 seconds
max_filedescriptors 19000
`;

async function startSquid(): Promise<Running & { readonly port: number }> {
  const folder = tempFolder();
  const port = await freePort();
  writeFileSync(`${folder.path}/squid.conf`, `${squidConfig(port)}cache_log /dev/null\n`);
  const squid = await startProgram('/usr/sbin/squid', ['-N', '-f', `${folder.path}/squid.conf`], port);
  const stop = async () => {
    await squid.stop();
    folder.remove();
  };
  return { ...squid, port, stop };
}
