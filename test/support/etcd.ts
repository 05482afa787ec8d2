/** etcd as a real server: one member, or several of one cluster; with TLS, or with users. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { EtcdClient, type EtcdOptions } from '../../src/cluster/etcd/client.js';
import { parseMetrics, total } from './metrics.js';
import { freePort } from './ports.js';
import { runProgram } from './process.js';
import { RealServer, type Recipe } from './real-servers.js';
import { eventually } from './wait.js';

export const etcdTools = ['etcd', 'openssl'] as const;

interface Member {
  readonly name: string;
  readonly peerPort: number;
}

const peerUrl = ({ peerPort }: Member): string => `http://127.0.0.1:${peerPort}`;

interface EtcdSetup {
  /** Clients need a certificate of the folder's authority: see `makeAuthority`. */
  readonly tlsFolder?: string;
  /** Fast elections: tests wait for them. */
  readonly extra?: readonly string[];
}

function recipe(member: Member, members: readonly Member[], { tlsFolder, extra = [] }: EtcdSetup): Recipe {
  const scheme = tlsFolder === undefined ? 'http' : 'https';
  const tls =
    tlsFolder === undefined
      ? []
      : [
          ...['--cert-file', `${tlsFolder}/server.pem`, '--key-file', `${tlsFolder}/server-key.pem`],
          ...['--client-cert-auth', '--trusted-ca-file', `${tlsFolder}/ca.pem`],
        ];
  return {
    tools: etcdTools,
    command: (folder, port) => [
      'etcd',
      ...['--name', member.name, '--data-dir', join(folder, 'data'), '--log-level', 'error'],
      ...['--listen-client-urls', `${scheme}://127.0.0.1:${port}`],
      ...['--advertise-client-urls', `${scheme}://127.0.0.1:${port}`],
      ...['--listen-peer-urls', peerUrl(member), '--initial-advertise-peer-urls', peerUrl(member)],
      ...['--initial-cluster', members.map((each) => `${each.name}=${peerUrl(each)}`).join(',')],
      '--unsafe-no-fsync',
      ...tls,
      ...extra,
    ],
  };
}

export class Etcd {
  private constructor(
    readonly members: readonly RealServer[],
    private readonly scheme: 'http' | 'https',
  ) {}

  /** Returns once it answers; over TLS, which takes a client's certificate, once it accepts. */
  static async start(count = 1, setup: EtcdSetup = {}): Promise<Etcd> {
    const members: Member[] = [];
    for (let index = 0; index < count; index += 1)
      members.push({ name: `m${index}`, peerPort: await freePort() });
    const servers = await Promise.all(
      members.map((member) => RealServer.start(recipe(member, members, setup))),
    );
    const etcd = new Etcd(servers, setup.tlsFolder === undefined ? 'http' : 'https');
    if (setup.tlsFolder === undefined) await etcd.answers();
    return etcd;
  }

  get endpoints(): string[] {
    return this.members.map(({ target }) => `${this.scheme}://${target}`);
  }

  client(options: Partial<EtcdOptions> = {}): EtcdClient {
    return new EtcdClient({ endpoints: this.endpoints, ...options });
  }

  /** A leader is there. */
  async answers(): Promise<void> {
    const client = this.client();
    await eventually('etcd to answer', () =>
      client.get('x').then(
        () => true,
        () => false,
      ),
    );
    client.close();
  }

  /** Index of the member that leads; waits for an election. */
  leader(): Promise<number> {
    return eventually('a leader', async () => {
      for (const index of this.members.keys()) {
        const status = await this.admin('/v3/maintenance/status', {}, index).catch(() => null);
        const { header, leader } = (status ?? {}) as { header?: { member_id: string }; leader?: string };
        if (header !== undefined && header.member_id === leader) return index;
      }
      return false;
    });
  }

  /** Of all leases that live. */
  async leases(): Promise<ReadonlySet<string>> {
    const { leases = [] } = (await this.admin('/v3/lease/leases', {}, await this.leader())) as {
      leases?: { ID: string }[];
    };
    return new Set(leases.map(({ ID }) => ID));
  }

  /** Watches of all members that do not take what there is for them. */
  async slowWatches(): Promise<number> {
    const answers = await Promise.all(this.endpoints.map((endpoint) => fetch(`${endpoint}/metrics`)));
    const texts = await Promise.all(answers.map((answer) => answer.text()));
    return texts.reduce(
      (sum, text) => sum + total(parseMetrics(text), 'etcd_debugging_mvcc_slow_watcher_total'),
      0,
    );
  }

  /** What the clock on this member's wall shows, in ms since the epoch, to the second. */
  async wallClock(memberIndex: number): Promise<number> {
    const { headers } = await fetch(`${this.endpoints[memberIndex]}/version`);
    return Date.parse(headers.get('date') ?? '');
  }

  /** Forgets what has been before the current revision. */
  async compact(revision: number): Promise<void> {
    await this.admin('/v3/kv/compaction', { revision: String(revision), physical: true });
  }

  /** A user with all rights to keys with this prefix; from then on nobody may without a log-in. */
  async requireUsers(name: string, password: string, prefix: string, prefixEnd: string): Promise<void> {
    const base64 = (text: string) => Buffer.from(text).toString('base64');
    const perm = { permType: 'READWRITE', key: base64(prefix), range_end: base64(prefixEnd) };
    await this.admin('/v3/auth/user/add', { name: 'root', password: 'root' });
    await this.admin('/v3/auth/role/add', { name: 'root' });
    await this.admin('/v3/auth/user/grant', { user: 'root', role: 'root' });
    await this.admin('/v3/auth/role/add', { name: 'part' });
    await this.admin('/v3/auth/role/grant', { name: 'part', perm });
    await this.admin('/v3/auth/user/add', { name, password });
    await this.admin('/v3/auth/user/grant', { user: name, role: 'part' });
    await this.admin('/v3/auth/enable', {});
  }

  async admin(path: string, body: object, memberIndex = 0): Promise<unknown> {
    const response = await fetch(`${this.endpoints[memberIndex]}${path}`, {
      method: 'POST',
      body: JSON.stringify(body),
    });
    const text = await response.text();
    if (!response.ok) throw new Error(`${path}: ${text}`);
    return JSON.parse(text);
  }

  async remove(): Promise<void> {
    // Members that stop in order wait for each other.
    await Promise.all(this.members.map((member) => member.down('SIGKILL')));
    await Promise.all(this.members.map((member) => member.remove()));
  }
}

/** `ca.pem`, and of a server at 127.0.0.1 and of a client what it has signed: `server.pem`, `server-key.pem`, `client…`. */
export async function makeAuthority(folder: string): Promise<void> {
  const openssl = async (...args: string[]) => {
    const { status, stderr } = await runProgram('openssl', args, { cwd: folder });
    if (status !== 0) throw new Error(stderr);
  };
  const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes'];
  await openssl(
    'req',
    '-x509',
    ...key,
    '-keyout',
    'ca-key.pem',
    '-out',
    'ca.pem',
    '-subj',
    '/CN=ca',
    '-days',
    '2',
  );
  // The gateway is a client of its own server, by the server's certificate.
  writeFileSync(
    join(folder, 'usage'),
    'extendedKeyUsage=serverAuth,clientAuth\nsubjectAltName=IP:127.0.0.1\n',
  );
  for (const name of ['server', 'client']) {
    await openssl('req', ...key, '-keyout', `${name}-key.pem`, '-out', `${name}.csr`, '-subj', `/CN=${name}`);
    const signed = ['-in', `${name}.csr`, '-CA', 'ca.pem', '-CAkey', 'ca-key.pem', '-CAcreateserial'];
    await openssl('x509', '-req', ...signed, '-out', `${name}.pem`, '-days', '2', '-extfile', 'usage');
  }
}
