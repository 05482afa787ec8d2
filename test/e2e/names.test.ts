/**
 * Endpoints by host name: hosts file, search list and name servers of the system; a hanging name does not affect
 * others.
 */
import { writeFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { type Daemon, launchDaemon, type StartOptions } from '../support/daemon.js';
import { type DnsAnswer, type DnsServer, startDnsServer } from '../support/dns-server.js';
import { freePort } from '../support/ports.js';
import { startLoad } from '../support/steady.js';
import { dial, echo, listenTcp, type Upstream } from '../support/tcp.js';
import { type TempFolder, tempFolder } from '../support/temp.js';
import { describeAsRoot } from '../support/tools.js';
import { eventually } from '../support/wait.js';

const SERVER = '127.9.9.9';

let folder: TempFolder;
let dns: DnsServer;
let upstream: Upstream;
let daemon: Daemon;

beforeEach(async () => {
  folder = tempFolder();
  dns = await startDnsServer(SERVER);
  upstream = await listenTcp(echo);
});

afterEach(async () => {
  if (daemon.child.exitCode === null) daemon.signal('SIGKILL');
  await daemon.exit();
  daemon.folder.remove();
  await upstream.close();
  dns.close();
  folder.remove();
});

/** Runs a program with these files as /etc/hosts and /etc/resolv.conf. */
function withNames(hosts: string, resolv: string): StartOptions {
  writeFileSync(`${folder.path}/hosts`, hosts);
  writeFileSync(`${folder.path}/resolv.conf`, `nameserver ${SERVER}\n${resolv}\n`);
  const mount = (file: string) => `mount --bind ${folder.path}/${file} /etc/${file}`;
  return {
    wrapper: ['unshare', '-m', 'sh', '-c', `${mount('hosts')} && ${mount('resolv.conf')} && exec "$@"`, 'sh'],
  };
}

const PATIENT = 'options timeout:30 attempts:5';

async function launch(hosts: readonly string[], options: StartOptions, refresh = '1h'): Promise<void> {
  daemon = await launchDaemon(configFor(hosts, refresh), options);
}

/** Openings `c0`, `c1` … go to the names in their order. */
function configFor(hosts: readonly string[], refresh: string) {
  const upstreams = hosts.map((host, n) => [
    `u${n}`,
    { endpoints: [`${host}:${upstream.port}`], dns: { refresh } },
  ]);
  return {
    protocols: hosts.map((_, n) => ({ name: `P${n}`, target: `u${n}`, start_bytes: [`c${n}`] })),
    upstreams: Object.fromEntries(upstreams),
  };
}

/** Whether a client of the nth name is served. */
async function serves(n: number): Promise<boolean> {
  const client = await dial(daemon.port);
  client.send(Buffer.from([0xc0 + n]));
  await eventually('an answer, or the end', () => client.length > 0 || client.ending !== undefined);
  client.socket.destroy();
  return client.length > 0;
}

describeAsRoot('names', () => {
  test('many that hang hold no other one up, at the start and later', async () => {
    const hanging = ['h1.test', 'h2.test', 'h3.test', 'h4.test', 'h5.test', 'h6.test'];
    for (const name of hanging) dns.names.set(name, 'silence');
    dns.names.set('good.test', ['127.0.0.9']);
    await launch([...hanging, 'good.test'], withNames('', PATIENT), '1s');
    await daemon.ready();
    expect(await daemon.metric('anyport_config_generation')).toBe(1);
    dns.names.set('good.test', ['127.0.0.1']);
    await eventually('the new address', () => serves(6));
    await daemon.metricBecomes('anyport_config_generation', 2);
    // One query in flight per name, however long it hangs.
    const asked = dns.asked.filter((name) => name === 'h1.test').length;
    const refreshed = dns.asked.filter((name) => name === 'good.test').length;
    expect(asked).toBeLessThanOrEqual(2 + refreshed);
  });

  test('a name that leads back here is left out, and told of once', async () => {
    dns.names.set('back.test', ['127.0.0.1']);
    const port = await freePort();
    daemon = await launchDaemon(
      {
        listeners: [{ name: 'front', address: `127.0.0.1:${port}` }],
        protocols: [{ name: 'P', target: 'u', start_bytes: ['c0'] }],
        upstreams: { u: { endpoints: [`back.test:${port}`], dns: { refresh: '1s' } } },
      },
      withNames('', PATIENT),
    );
    await daemon.ready();
    const client = await dial(port);
    client.send(Buffer.from([0xc0]));
    expect(await client.end()).toBe('reset');
    const [line] = await daemon.ended(1);
    expect(line).toMatchObject({ reason: 'no_endpoint' });
    expect(await daemon.metric('anyport_accepted_total')).toBe(1);
    const asked = dns.asked.length;
    await eventually('another look-up', () => dns.asked.length > asked);
    const told = daemon.lines.filter(({ msg }) => /our own listener/.test(msg));
    expect(told).toHaveLength(1);
    expect(told[0]).toMatchObject({ endpoint: `back.test:${port}`, address: '127.0.0.1', listener: 'front' });
  });

  test('the hosts file and the search list say what a name means', async () => {
    dns.names.set('searched.corp.test', ['127.0.0.1']);
    await launch(
      ['listed', 'searched', 'localhost'],
      withNames('127.0.0.1 other LISTED', 'search void.test corp.test'),
    );
    await daemon.ready();
    expect([await serves(0), await serves(1), await serves(2)]).toEqual([true, true, true]);
    expect(dns.asked).toEqual(['searched.void.test', 'searched.corp.test']);
  });

  test.each(['servfail', 'nxdomain'] as const)(
    'a first look-up that fails is tried again soon: %s',
    async (failure) => {
      dns.names.set('late.test', failure);
      await launch(['late.test'], withNames('', 'options attempts:1'));
      await daemon.ready();
      expect(await serves(0)).toBe(false);
      dns.names.set('late.test', ['127.0.0.1']);
      await eventually('the name to be known', () => serves(0)); // the refresh interval is an hour
    },
  );

  test('an answer that comes late is used', async () => {
    dns.names.set('slow.test', 'silence');
    await launch(['slow.test'], withNames('', PATIENT));
    await eventually('the question', () => dns.asked.length > 0);
    dns.names.set('slow.test', ['127.0.0.1']);
    await daemon.ready();
    await eventually('the name to be known', () => serves(0));
  });

  test('told to stop while names hang it stops at once, and nothing is left after that', async () => {
    for (const name of ['h1.test', 'h2.test']) dns.names.set(name, 'silence');
    await launch(['h1.test', 'h2.test'], withNames('', PATIENT));
    await eventually('the questions', () => dns.asked.length > 1);
    daemon.signal('SIGTERM');
    expect(await daemon.exit()).toBe(0);
    const told = daemon.lines.map(({ msg }) => msg);
    expect(told).not.toContain('ready');
    expect(told.at(-1)).toBe('stopped');
  });

  test('a look-up that is under way does not keep the process after "stopped"', async () => {
    dns.names.set('gone.test', ['127.0.0.1']);
    await launch(['gone.test'], withNames('', PATIENT), '1s');
    await daemon.ready();
    dns.names.set('gone.test', 'silence');
    const before = dns.asked.length;
    await eventually('the next look-up', () => dns.asked.length > before);
    await sleep(50);
    daemon.signal('SIGTERM');
    expect(await daemon.exit()).toBe(0);
  });

  test('a reload looks up names that are new, keeps what it knows of the others, and waits for none that hangs', async () => {
    dns.names.set('known.test', ['127.0.0.1']);
    dns.names.set('gone.test', ['127.0.0.1']);
    await launch(['known.test', 'gone.test'], withNames('', PATIENT), '1s');
    await daemon.ready();
    dns.names.set('known.test', 'silence');
    dns.names.set('new.test', ['127.0.0.1']);
    expect(await daemon.reload(configFor(['known.test', 'new.test'], '1s'))).toMatchObject({
      msg: 'reloaded',
    });
    expect([await serves(0), await serves(1)]).toEqual([true, true]);

    const askedBefore = dns.asked.filter((name) => name === 'gone.test').length;
    dns.names.set('hangs.test', 'silence');
    const names = ['known.test', 'new.test', 'hangs.test'];
    expect(await daemon.reload(configFor(names, '1s'))).toMatchObject({ msg: 'reloaded' });
    expect([await serves(0), await serves(1), await serves(2)]).toEqual([true, true, false]);
    expect(dns.asked.filter((name) => name === 'gone.test').length).toBe(askedBefore);
  });

  test('endpoints of SRV records: backups only when the main ones are gone, and changes under load lose no session', async () => {
    const NAME = '_echo._tcp.test';
    const backup = await listenTcp(({ socket }) => void socket.end('backup'));
    const { port } = upstream;
    dns.names.set('main.test', ['127.0.0.1']);
    dns.names.set('spare.test', ['127.0.0.1']);
    const spare = { target: 'spare.test', port: backup.port, priority: 2 };
    dns.names.set(NAME, [{ target: 'main.test', port, priority: 1 }, spare]);
    const config = {
      protocols: [{ name: 'P0', target: 'u0', start_bytes: ['c0'] }],
      upstreams: { u0: { endpoints: [`srv:${NAME}`], dns: { refresh: '1s' } } },
    };
    daemon = await launchDaemon(config, withNames('', ''));
    await daemon.ready();
    const answerOf = async () => {
      const client = await dial(daemon.port);
      client.send(Buffer.from([0xc0]));
      await eventually('an answer, or the end', () => client.length > 0 || client.ending !== undefined);
      client.socket.destroy();
      return client.length === 0 ? 'none' : client.length === 1 ? 'main' : 'backup';
    };
    expect([await answerOf(), await answerOf(), await answerOf()]).toEqual(['main', 'main', 'main']);
    // Only the backup is left; sessions go on meanwhile.
    dns.names.set(NAME, [spare]);
    const seen: string[] = [];
    await eventually('the backup', async () => {
      seen.push(await answerOf());
      return seen.at(-1) === 'backup';
    });
    expect(seen).not.toContain('none');
    expect(await daemon.metric('anyport_config_generation')).toBeGreaterThan(1);
    await backup.close();
  });

  test('addresses that change under load: each new session goes to one that counts, and no session is lost', async () => {
    const addresses = ['127.0.0.21', '127.0.0.22', '127.0.0.23'];
    const [a, b, c] = addresses as [string, string, string];
    const asked: string[] = [];
    const many = await listenTcp((peer) => {
      asked.push(String(peer.socket.localAddress));
      echo(peer);
    }, '0.0.0.0');
    dns.names.set('many.test', [a, b]);
    const config = {
      server: { workers: 2 },
      protocols: [{ name: 'Redis', target: 'u0' }],
      upstreams: { u0: { endpoints: [`many.test:${many.port}`], dns: { refresh: '1s' } } },
    };
    daemon = await launchDaemon(config, withNames('', ''));
    await daemon.ready();
    const load = await startLoad([daemon.port], { rate: 100, long: 10, intervalMs: 50 });
    try {
      for (const answer of [[b], [b, c], [c], [a]]) {
        dns.names.set('many.test', answer);
        // The next ones all go there, and nowhere else.
        await eventually(
          `sessions at ${answer} alone: ${asked.slice(-20)}`,
          () => asked.length >= 20 && asked.slice(-20).every((address) => answer.includes(address)),
        );
      }
      expect(await load.stop()).toMatchObject({ failed: 0, cut: 0, failures: '' });
    } finally {
      load.kill();
      await many.close();
    }
  });

  test('an alias is followed, over any number of others, and asked again when one of them runs out', async () => {
    dns.names.set('www.test', { cname: 'a.test', ttl: 1 });
    dns.names.set('a.test', { cname: 'b.test' });
    dns.names.set('b.test', ['127.0.0.9']);
    dns.names.set('c.test', ['127.0.0.1', '::1']);
    await launch(['www.test'], withNames('', ''), 'ttl');
    await daemon.ready();
    expect(await serves(0)).toBe(false);
    dns.names.set('www.test', { cname: 'c.test' });
    await eventually('the other address', () => serves(0));
  });

  test('an answer that does not fit into a datagram is asked for over TCP', async () => {
    dns.names.set('many.test', ['127.0.0.1']);
    dns.long.add('many.test');
    await launch(['many.test'], withNames('', 'options attempts:1'));
    await daemon.ready();
    expect(await serves(0)).toBe(true);
    expect(dns.asked).toContain('many.test'); // over TCP: datagrams are not counted
  });

  test('a name that is known keeps its addresses, whatever is wrong with later answers', async () => {
    const wrong: Record<string, DnsAnswer> = {
      'fails.test': 'servfail',
      'gone.test': 'nxdomain',
      'empty.test': [],
      'silent.test': 'silence',
      'astray.test': { cname: 'nowhere.test' },
      'round.test': { cname: 'round.test' },
    };
    const names = Object.keys(wrong);
    for (const name of names) dns.names.set(name, ['127.0.0.1']);
    await launch(names, withNames('', 'options attempts:1'), '1s');
    await daemon.ready();
    for (const [name, answer] of Object.entries(wrong)) dns.names.set(name, answer);
    const from = dns.asked.length;
    await eventually('two look-ups of each', () => {
      const asked = dns.asked.slice(from);
      return names.every((name) => asked.filter((each) => each === name).length >= 2);
    });
    expect(await Promise.all(names.map((_, n) => serves(n)))).toEqual(names.map(() => true));
    expect(await daemon.metric('anyport_config_generation')).toBe(1);
  });

  test('by time to live: a name whose records run out soon is asked for soon', async () => {
    dns.ttl = 1;
    dns.names.set('short.test', ['127.0.0.9']);
    await launch(['short.test'], withNames('', ''), 'ttl');
    await daemon.ready();
    dns.names.set('short.test', ['127.0.0.1']);
    await eventually('the new address', () => serves(0));
  });

  test('without keep_last_good, an outage leaves nobody to go to, and its end somebody', async () => {
    dns.names.set('web.test', ['127.0.0.1']);
    const { protocols, upstreams } = configFor(['web.test'], '1s');
    const config = {
      protocols,
      upstreams: { u0: { ...upstreams.u0, dns: { refresh: '1s', keep_last_good: false } } },
    };
    daemon = await launchDaemon(config, withNames('', 'options attempts:1'));
    await daemon.ready();
    expect(await serves(0)).toBe(true);
    dns.names.set('web.test', 'nxdomain');
    await eventually('nobody', async () => !(await serves(0)));
    dns.names.set('web.test', ['127.0.0.1']);
    await eventually('somebody', () => serves(0));
  });

  test('family: the other one is not dialled', async () => {
    dns.names.set('both.test', ['::1', '127.0.0.1']);
    const { protocols, upstreams } = configFor(['both.test', 'both.test'], '1h');
    const config = {
      protocols,
      upstreams: {
        u0: { ...upstreams.u0, dns: { family: 'ipv4' } },
        u1: { ...upstreams.u1, dns: { family: 'ipv6' }, retries: 0 },
      },
    };
    daemon = await launchDaemon(config, withNames('', ''));
    await daemon.ready();
    // Nobody listens on ::1.
    expect([await serves(0), await serves(1)]).toEqual([true, false]);
  });
});
