/**
 * A daemon and an etcd that believes nobody: TLS with certificates of both sides, a user with the rights that
 * docs/cluster.md asks for, and tokens that end while nothing is asked. What does not fit is said once, with its cure.
 */
import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { EtcdClient } from '../../../src/cluster/etcd/client.js';
import { Authority, authorityTools } from '../../support/authority.js';
import { type Backend, startBackend, whoAnswers } from '../../support/backends.js';
import { type ControlSite, startControlled } from '../../support/control.js';
import { anyport, type Daemon, type TestConfig } from '../../support/daemon.js';
import { Etcd, etcdTools, writeIdentity } from '../../support/etcd.js';
import { dial } from '../../support/tcp.js';
import { type TempFolder, tempFolder } from '../../support/temp.js';
import { describeWith } from '../../support/tools.js';
import { eventually } from '../../support/wait.js';

const [USER, PASSWORD, WRONG] = ['alice', 'said-by-nobody', 'said-in-vain'];
const CLUSTER_KEY = 'another-secret-that-is-never-said';
const CANNOT = 'etcd can not be used: what was known last stays';

describeWith(...etcdTools, ...authorityTools)('an etcd with certificates and users', () => {
  let authority: Authority;
  let etcd: Etcd;
  let root: EtcdClient;
  /** Of the daemon's files. */
  let folder: TempFolder;
  let backends: Backend[] = [];
  let daemon: Daemon;
  let site: ControlSite;

  const file = (name: string) => join(folder.path, name);
  /** As whoever renews them does: another file takes the name. */
  function write(name: string, text: string): void {
    writeFileSync(file(`${name}.new`), text, { mode: 0o600 });
    renameSync(file(`${name}.new`), file(name));
  }
  const writePassword = (password: string) =>
    write('login.yaml', JSON.stringify({ distributed: { username: USER, password } }));
  async function writeCertificate(days: number): Promise<void> {
    const { cert, key } = await authority.identity('DNS:a-node', days, '/O=anyport');
    write('node-key.pem', key);
    write('node.pem', cert);
  }
  const writeAuthority = ({ file }: Authority) => write('ca.pem', readFileSync(file, 'utf8'));

  const config = (): TestConfig => ({
    include: file('login.yaml'),
    server: { reload_on_change: true },
    protocols: [{ name: 'redis', target: 'web' }],
    upstreams: { web: { endpoints: ['service:web'], health_check: { type: 'tcp', interval: '200ms' } } },
    distributed: {
      ...{ enable: true, node_id: 'n1', etcd_endpoints: etcd.endpoints, ttl: '5s', allow_loopback: true },
      ...{ cluster_key: CLUSTER_KEY, config_manager: {} },
      tls: { ca: file('ca.pem'), cert: file('node.pem'), key: file('node-key.pem') },
    },
  });

  beforeAll(async () => {
    authority = await Authority.create();
    folder = tempFolder();
    etcd = await Etcd.start(1, { authority, extra: ['--auth-token-ttl', '1', '--bcrypt-cost', '4'] });
    await etcd.requireUsers(USER, PASSWORD, [
      ...['nodes', 'status', 'health', 'bans'].map((name) => ['READWRITE', `/anyport/${name}/`] as const),
      ...['services', 'config'].map((name) => ['READ', `/anyport/${name}/`] as const),
    ]);
    root = etcd.client({ user: { name: 'root', password: 'root' } });
    backends = [await startBackend('a'), await startBackend('b')];
    await moveTo('a');
    writeAuthority(authority);
    writePassword(PASSWORD);
    await writeCertificate(30);
    ({ daemon, site } = await startControlled(config()));
  });
  afterAll(async () => {
    await daemon.stop();
    root.close();
    for (const backend of backends) backend.kill();
    await etcd.remove();
    authority.remove();
    folder.remove();
  });

  const moveTo = (name: string) => {
    const address = backends.find((each) => each.name === name)?.target;
    return root.put('/anyport/services/web/1', JSON.stringify({ address }));
  };
  const answers = (name: string) =>
    eventually(`${name} to answer`, async () => (await whoAnswers(daemon.port)) === name);
  const status = async () => (await site.get('/api/v1/status')).body.cluster;
  const inEtcd = async (key: string) => (await root.get(`/anyport/${key}`)).items[0]?.value.toString();
  const isWell = () =>
    eventually('all to be well', async () => {
      const { registered, connected, error } = await status();
      return registered && connected && error === null;
    });

  test('the rights of the documentation suffice, and tokens that have ended are got anew', async () => {
    await answers('a');
    await isWell();
    await root.put('/anyport/config/mail', 'upstreams: { mail: { endpoints: ["10.0.0.1:25"] } }');
    await site.ask('POST', '/api/v1/bans', { body: { ip: '127.0.0.7', for: '10m', reason: 'a test' } });
    await eventually('its verdict', async () => (await inEtcd('health/n1'))?.includes('"up":{"web"'));
    await eventually('the status of a fragment', async () =>
      (await inEtcd('status/n1/mail'))?.includes('accepted'),
    );
    await eventually('its ban', async () => (await inEtcd('bans/n1'))?.includes('signed'));
    // A keep-alive is due less often than tokens end, and what it says has changed.
    const session = await dial(daemon.port);
    await eventually('the load', async () => JSON.parse((await inEtcd('nodes/n1')) ?? '{}').load > 0);
    session.socket.destroy();
    await moveTo('b');
    await answers('b');
    const shown = await anyport(['cluster', '-c', daemon.file]);
    expect(shown).toMatchObject({ status: 0, stderr: '' });
    expect(shown.stdout).toMatch(/\nweb +127\.0\.0\.1:\d+ +up +- +n1 +\d s ago\n/);
    expect(daemon.lines.filter(({ msg }) => msg === CANNOT)).toEqual([]);
    expect((await status()).outages).toBe(0);
  });

  /** What breaks something, what is said of it, and what mends it. Whoever renews a file need say nothing to the daemon. */
  const serverCertificate = async (names: string, days = 30) =>
    writeIdentity(etcd.members[0]?.folder ?? '', await authority.identity(names, days));
  /** Connections that there are are not asked for a certificate again. */
  const serverStartsWith = async (names: string, days = 30) => {
    await serverCertificate(names, days);
    await etcd.members[0]?.down();
    await etcd.members[0]?.up();
  };
  const stranger = async () => {
    const other = await Authority.create();
    writeAuthority(other);
    other.remove();
  };
  const changePassword = (password: string) => etcd.admin('/v3/auth/user/changepw', { name: USER, password });
  const login =
    /authentication failed, invalid user ID or password: mend `distributed\.username` or `distributed\.password`$/;
  const cases: { what: string; breaks: () => unknown; says: RegExp; mends: () => unknown }[] = [
    {
      what: 'a wrong password',
      breaks: () => writePassword(WRONG),
      says: login,
      mends: () => writePassword(PASSWORD),
    },
    {
      what: 'a password that is another one at etcd',
      breaks: () => changePassword(WRONG),
      says: login,
      mends: () => writePassword(WRONG),
    },
    {
      what: 'another authority',
      breaks: stranger,
      says: /its certificate is of an authority that is not trusted here: name that one in `distributed\.tls\.ca`$/,
      mends: () => writeAuthority(authority),
    },
    {
      what: 'a certificate of the node that has expired',
      breaks: () => writeCertificate(-1),
      says: /it refuses the certificate of this node, `distributed\.tls\.cert`, which has expired \(.* GMT\): renew it$/,
      mends: () => writeCertificate(30),
    },
    {
      what: 'a certificate of etcd that has expired',
      breaks: () => serverStartsWith('IP:127.0.0.1', -1),
      says: /its certificate, or the one of its authority, has expired: renew it there$/,
      mends: () => serverCertificate('IP:127.0.0.1'),
    },
    {
      what: 'a certificate of etcd for another name',
      breaks: () => serverStartsWith('DNS:other.test'),
      says: /its certificate is for DNS:other\.test, not for 127\.0\.0\.1: issue one for this name, or write one of its names in `distributed\.etcd_endpoints`$/,
      mends: () => serverCertificate('IP:127.0.0.1'),
    },
  ];
  test.each(cases)(
    '$what: said once, with its cure; all goes on, and all is found when it is mended',
    async ({ breaks, says, mends }) => {
      const before = await whoAnswers(daemon.port);
      const next = before === 'a' ? 'b' : 'a';
      const from = daemon.lines.length;
      const saysSo = () =>
        daemon.lines.slice(from).filter(({ msg, error }) => msg === CANNOT && says.test(String(error)));
      await breaks();
      await eventually('the line', () => saysSo().length > 0);
      await eventually('the status', async () => says.test((await status()).error ?? ''));
      const asked = await anyport(['cluster', '-c', daemon.file]);
      expect(asked.status).toBe(1);
      expect(asked.stderr).toMatch(/^anyport: etcd can not be asked: etcd at 127\.0\.0\.1:\d+: [^\n]+\n$/);
      expect(asked.stderr.trimEnd()).toMatch(says);
      expect(await whoAnswers(daemon.port)).toBe(before);
      await mends();
      await isWell();
      await moveTo(next);
      await answers(next);
      expect(saysSo()).toHaveLength(1);
    },
  );

  test('a certificate that is renewed shows nobody that the node has gone', async () => {
    const { revision } = await root.get('x');
    const watch = await root.watch('/anyport/nodes/', revision + 1);
    const events: string[] = [];
    const watching = (async () => {
      for await (const message of watch.messages)
        if (message.type === 'events') events.push(...message.events.map(({ type }) => type));
    })();
    const from = daemon.lines.length;
    await writeCertificate(60);
    expect(await daemon.outcome(from)).toMatchObject({ msg: 'reloaded' });
    // Under the same lease: it is written again by the new connection.
    await eventually('the node by its new certificate', () => events.includes('put'));
    await isWell();
    watch.close();
    await watching;
    expect(events).not.toContain('delete');
  });

  test('nothing that is secret is said anywhere', async () => {
    const said = [
      JSON.stringify(daemon.lines),
      daemon.stderr,
      JSON.stringify((await site.get('/api/v1/status')).body),
      (await anyport(['check', '-c', daemon.file])).stdout,
      (await anyport(['cluster', '-c', daemon.file])).stdout,
      readFileSync(`/proc/${daemon.pid}/cmdline`, 'latin1'),
    ].join('\n');
    const key = readFileSync(file('node-key.pem'), 'utf8').split('\n')[1] ?? '';
    for (const secret of [PASSWORD, WRONG, CLUSTER_KEY, key]) expect(said).not.toContain(secret);
    expect(said).toContain('n1');
  });
});
