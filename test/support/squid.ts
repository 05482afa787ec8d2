/** squid as an HTTP proxy: tunnels by CONNECT, with users, over TLS, with names that only it knows. */
import { chmodSync, existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { runProgram } from './process.js';
import { makeCertificate, RealServer, type Recipe } from './real-servers.js';

export const squidTools = ['squid', 'openssl', 'setpriv'] as const;

export interface SquidOptions {
  /** Name → password; without: everybody may. */
  readonly users?: Readonly<Record<string, string>>;
  /** Hosts that it answers with 403. */
  readonly refused?: readonly string[];
  /** Name → address: what it knows of names beside the system's resolver. */
  readonly hosts?: Readonly<Record<string, string>>;
  /** Its port speaks TLS, with a certificate for this name: `cert.pem` of its folder. */
  readonly tls?: string;
}

/** What its log says of a request at its end. */
export interface SquidRequest {
  readonly status: number;
  readonly method: string;
  /** As asked for: `name:port` of a CONNECT. */
  readonly target: string;
  readonly user: string | null;
}

const listening = (folder: string, port: number, { tls }: SquidOptions): string =>
  tls === undefined
    ? `http_port 127.0.0.1:${port}`
    : `https_port 127.0.0.1:${port} tls-cert=${folder}/cert.pem tls-key=${folder}/key.pem`;

/** The first rule that fits counts. */
function access(folder: string, { users, refused = [] }: SquidOptions): string[] {
  const refusals =
    refused.length === 0 ? [] : [`acl refused dstdomain ${refused.join(' ')}`, 'http_access deny refused'];
  if (users === undefined) return [...refusals, 'http_access allow all'];
  return [
    `auth_param basic program /usr/lib/squid/basic_ncsa_auth ${folder}/users`,
    'auth_param basic children 2 startup=0',
    'acl known proxy_auth REQUIRED',
    ...refusals,
    'http_access allow known',
    'http_access deny all',
  ];
}

const config = (folder: string, port: number, options: SquidOptions): string =>
  [
    listening(folder, port, options),
    'visible_hostname squid.test',
    'logformat short %>Hs %rm %ru %[un',
    `access_log stdio:${folder}/access.log short`,
    'cache_log stdio:/dev/stderr',
    `hosts_file ${folder}/hosts`,
    // Nothing but tunnels, and nothing of the machine's own squid.
    ...['cache deny all', 'cache_mem 1 MB', 'memory_pools off', 'max_filedescriptors 1024'],
    ...['pid_filename none', 'netdb_filename none', 'pinger_enable off', 'shutdown_lifetime 0 seconds'],
    ...access(folder, options),
    '',
  ].join('\n');

async function passwordLine(name: string, password: string): Promise<string> {
  const { stdout } = await runProgram('openssl', ['passwd', '-apr1', password]);
  return `${name}:${stdout.trim()}\n`;
}

/** Of its segments of shared memory: two of one name can not start at the same time. */
const serviceName = (port: number): string => `anyport${port}`;

const squidRecipe = (options: SquidOptions): Recipe => ({
  tools: squidTools,
  user: 'proxy',
  // It would wait for tunnels that are open.
  signal: 'SIGKILL',
  async prepare(folder, port) {
    if (options.tls !== undefined) {
      await makeCertificate(folder, options.tls, 30);
      chmodSync(`${folder}/key.pem`, 0o644);
    }
    const users = Object.entries(options.users ?? {});
    const lines = await Promise.all(users.map(([name, password]) => passwordLine(name, password)));
    writeFileSync(`${folder}/users`, lines.join(''));
    const hosts = Object.entries({ localhost: '127.0.0.1', ...options.hosts });
    writeFileSync(`${folder}/hosts`, hosts.map(([name, address]) => `${address} ${name}\n`).join(''));
    writeFileSync(`${folder}/squid.conf`, config(folder, port, options));
  },
  command: (folder, port) => ['/usr/sbin/squid', '-N', '-n', serviceName(port), '-f', `${folder}/squid.conf`],
  cleanUp(port) {
    for (const segment of ['metadata', 'queues', 'readers'])
      rmSync(`/dev/shm/${serviceName(port)}-cf__${segment}.shm`, { force: true });
  },
});

export const startSquid = (options: SquidOptions = {}): Promise<RealServer> =>
  RealServer.start(squidRecipe(options));

/** Requests that have ended, oldest first; a tunnel is written down when it is closed. */
export function squidRequests({ folder }: RealServer): SquidRequest[] {
  const file = `${folder}/access.log`;
  if (!existsSync(file)) return [];
  const words = readFileSync(file, 'utf8')
    .split('\n')
    .map((line) => line.split(' '))
    // Connections without a request, as those that wait for it to accept.
    .filter(([status, method]) => method !== undefined && method !== '-' && Number(status) > 0);
  return words.map(([status, method = '', target = '', user]) => ({
    status: Number(status),
    method,
    target,
    user: user === undefined || user === '-' ? null : user,
  }));
}
