/** etcd as a real server: one member, or several of one cluster; with TLS, or with users. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { EtcdClient, type EtcdOptions } from '../../src/cluster/etcd/client.js';
import { Transport } from '../../src/cluster/etcd/transport.js';
import { type Json, rangeOf } from '../../src/cluster/etcd/wire.js';
import type { ClientTls } from '../../src/model/client-tls.js';
import type { Authority, Identity } from './authority.js';
import { parseMetrics, total } from './metrics.js';
import { freePort } from './ports.js';
import { RealServer, type Recipe } from './real-servers.js';
import { eventually } from './wait.js';

export const etcdTools = ['etcd', 'openssl'] as const;

interface Member {
  readonly name: string;
  readonly peerPort: number;
}

const peerUrl = ({ peerPort }: Member): string => `http://127.0.0.1:${peerPort}`;

interface EtcdSetup {
  /** It speaks TLS, and takes only clients with a certificate of this authority. */
  readonly authority?: Authority;
  /** Fast elections: tests wait for them. */
  readonly extra?: readonly string[];
}

function recipe(member: Member, members: readonly Member[], { authority, extra = [] }: EtcdSetup): Recipe {
  const scheme = authority === undefined ? 'http' : 'https';
  const tls = ({ file }: Authority, folder: string) => [
    ...['--cert-file', `${folder}/server.pem`, '--key-file', `${folder}/server-key.pem`],
    ...['--client-cert-auth', '--trusted-ca-file', file],
  ];
  return {
    tools: etcdTools,
    async prepare(folder) {
      if (authority !== undefined) writeIdentity(folder, await authority.identity('IP:127.0.0.1'));
    },
    command: (folder, port) => [
      'etcd',
      ...['--name', member.name, '--data-dir', join(folder, 'data'), '--log-level', 'error'],
      ...['--listen-client-urls', `${scheme}://127.0.0.1:${port}`],
      ...['--advertise-client-urls', `${scheme}://127.0.0.1:${port}`],
      ...['--listen-peer-urls', peerUrl(member), '--initial-advertise-peer-urls', peerUrl(member)],
      ...['--initial-cluster', members.map((each) => `${each.name}=${peerUrl(each)}`).join(',')],
      '--unsafe-no-fsync',
      ...(authority === undefined ? [] : tls(authority, folder)),
      ...extra,
    ],
  };
}

export class Etcd {
  #hasUsers = false as boolean;

  private constructor(
    readonly members: readonly RealServer[],
    /** Of a client that it takes. */
    readonly tls: ClientTls | null,
  ) {}

  /** Returns once it answers. */
  static async start(count = 1, setup: EtcdSetup = {}): Promise<Etcd> {
    const members: Member[] = [];
    for (let index = 0; index < count; index += 1)
      members.push({ name: `m${index}`, peerPort: await freePort() });
    const servers = await Promise.all(
      members.map((member) => RealServer.start(recipe(member, members, setup))),
    );
    const etcd = new Etcd(servers, setup.authority ? await clientOf(setup.authority) : null);
    await etcd.answers();
    return etcd;
  }

  get endpoints(): string[] {
    return this.members.map(({ target }) => `${this.tls === null ? 'http' : 'https'}://${target}`);
  }

  client(options: Partial<EtcdOptions> = {}): EtcdClient {
    return new EtcdClient({ endpoints: this.endpoints, ...(this.tls && { tls: this.tls }), ...options });
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

  /** A user with rights to prefixes; from then on nobody may without a log-in. */
  async requireUsers(
    name: string,
    password: string,
    rights: readonly (readonly [right: 'READ' | 'READWRITE', prefix: string])[],
  ): Promise<void> {
    await this.admin('/v3/auth/user/add', { name: 'root', password: 'root' });
    await this.admin('/v3/auth/role/add', { name: 'root' });
    await this.admin('/v3/auth/user/grant', { user: 'root', role: 'root' });
    await this.admin('/v3/auth/role/add', { name: 'part' });
    for (const [permType, prefix] of rights)
      await this.admin('/v3/auth/role/grant', { name: 'part', perm: { permType, ...rangeOf(prefix) } });
    await this.admin('/v3/auth/user/add', { name, password });
    await this.admin('/v3/auth/user/grant', { user: name, role: 'part' });
    await this.admin('/v3/auth/enable', {});
    this.#hasUsers = true;
  }

  /** As root, where there are users. */
  async admin(path: string, body: Json, memberIndex = 0): Promise<unknown> {
    const endpoints = [this.endpoints[memberIndex] ?? ''];
    const transport = new Transport({ endpoints, ...(this.tls && { tls: this.tls }) });
    const call = (path: string, body: Json, token?: string) =>
      transport.call({ path, body, token, isRepeatable: false });
    try {
      const root = { name: 'root', password: 'root' };
      const { token } = this.#hasUsers ? await call('/v3/auth/authenticate', root) : {};
      return await call(path, body, token as string | undefined);
    } finally {
      transport.close();
    }
  }

  async remove(): Promise<void> {
    // Members that stop in order wait for each other.
    await Promise.all(this.members.map((member) => member.down('SIGKILL')));
    await Promise.all(this.members.map((member) => member.remove()));
  }
}

/** etcd reads its own at each handshake. */
export function writeIdentity(folder: string, { cert, key }: Identity, name = 'server'): void {
  writeFileSync(join(folder, `${name}.pem`), cert);
  writeFileSync(join(folder, `${name}-key.pem`), key, { mode: 0o600 });
}

/** Without a common name: with one its gateway takes no user. */
const clientOf = async (authority: Authority): Promise<ClientTls> => ({
  ca: readFileSync(authority.file, 'utf8'),
  ...(await authority.identity('DNS:a-node', 30, '/O=anyport')),
});
