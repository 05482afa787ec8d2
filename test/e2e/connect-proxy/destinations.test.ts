/** Where clients may go: forms of addresses that others read differently, special addresses, ports, own listeners. */
import { writeFileSync } from 'node:fs';
import { beforeAll, describe, expect, test } from 'vitest';
import { anyport, type Daemon } from '../../support/daemon.js';
import { freePort } from '../../support/ports.js';
import { askTunnel, openTunnel, statusOf } from '../../support/proxy-clients.js';
import { onThisMachine, useStage } from './stage.js';

const stage = useStage();

/** Those that are not answered as wanted. */
async function wrongAnswers(daemon: Daemon, targets: readonly string[], wanted: number): Promise<unknown[]> {
  const wrong: unknown[] = [];
  for (const target of targets) {
    const status = await statusOf(daemon.port, target);
    if (status !== wanted) wrong.push({ target, status });
  }
  return wrong;
}

describe('forms of a destination', () => {
  const shared = useStage('all');
  let daemon: Daemon;
  beforeAll(async () => {
    daemon = await shared.proxy({ allow: ['*:*', '127.0.0.0/8:*', '[::1]:*', '[fe80::]/10:*'] });
  });

  test('decimal, octal, hexadecimal and short IPv4 addresses are no addresses, and no names', async () => {
    const server = await stage.server();
    const loopback = ['2130706433', '017700000001', '0x7f000001', '0x7f.0.0.1', '0177.0.0.1', '127.1']
      .concat('127.0.1', '127.0.0.01', '127.000.000.001', '127.0.0.1.', '127.0.0.256', '127.0.0.0x1')
      .map((host) => `${host}:${server.port}`);
    expect(await wrongAnswers(daemon, loopback, 400)).toEqual([]);
    expect(server.peers).toHaveLength(0);
  });

  test('IPv6 addresses with a zone are refused', async () => {
    const zoned = ['[::1%lo]:443', '[fe80::1%eth0]:443', '[fe80::1%25eth0]:443', '[::1%1]:443'];
    expect(await wrongAnswers(daemon, zoned, 400)).toEqual([]);
  });

  test.each([
    ['no port', '127.0.0.1'],
    ['port 0', '127.0.0.1:0'],
    ['a port beyond the last', '127.0.0.1:65536'],
    ['a port with a sign', '127.0.0.1:+443'],
    ['a port with leading zeros', '127.0.0.1:0443'],
    ['a named port', '127.0.0.1:https'],
    ['no host', ':443'],
    ['a user', 'admin@127.0.0.1:443'],
    ['a URL', 'http://127.0.0.1:443/'],
    ['a path', '127.0.0.1:443/admin'],
    ['IPv6 without brackets', '::1:443'],
    ['IPv4 in brackets', '[127.0.0.1]:443'],
    ['an escaped character', '127.0.0.1%00.example.com:443'],
    ['digits of another script', '１２７.0.0.1:443'],
    ['a name that is not ASCII', 'exämple.com:443'],
    ['an empty label', 'a..example.com:443'],
    ['a long label', `${'a'.repeat(64)}.example.com:443`],
    ['a backslash', '127.0.0.1\\@example.com:443'],
  ])('what is no HOST:PORT is answered 400, in one line: %s', async (_, target) => {
    const { client, answer } = await askTunnel(daemon.port, target);
    expect(answer.status).toBe(400);
    expect(answer.content).toMatch(/^[^\n]+\n$/);
    client.socket.destroy();
    expect(await daemon.sessionOf(client)).toMatchObject({ by: 'proxy', reason: 'rejected' });
  });
});

describe('special addresses', () => {
  const special = {
    'this network': ['0.0.0.0', '0.1.2.3', '[::]'],
    loopback: ['127.0.0.1', '127.255.255.254', '[::1]'],
    private: [
      '10.0.0.1',
      '172.16.0.1',
      '172.31.255.255',
      '192.168.0.1',
      '100.64.0.1',
      '[fc00::1]',
      '[fdff::1]',
    ],
    'link-local': ['169.254.0.1', '[fe80::1]', '[fec0::1]'],
    metadata: ['169.254.169.254', '168.63.129.16', '100.100.100.200', '192.0.0.192', '[fd00:ec2::254]'],
    multicast: ['224.0.0.1', '239.255.255.255', '255.255.255.255', '[ff02::1]'],
    reserved: [
      '240.0.0.1',
      '192.0.2.1',
      '198.18.0.1',
      '198.51.100.1',
      '203.0.113.1',
      '[2001:db8::1]',
      '[100::1]',
    ],
    'IPv4-mapped and compatible': [
      '[::ffff:127.0.0.1]',
      '[::ffff:7f00:1]',
      '[::ffff:a9fe:a9fe]',
      '[::127.0.0.1]',
    ],
    'NAT64, 6to4 and Teredo': [
      '[64:ff9b::7f00:1]',
      '[64:ff9b::169.254.169.254]',
      '[64:ff9b:1::7f00:1]',
      '[2002:7f00:1::]',
      '[2002:a00:1::1]',
      // The client's address is stored inverted.
      '[2001:0:808:808:0:0:80ff:fffe]',
    ],
  };

  const shared = useStage('all');
  let daemon: Daemon;
  beforeAll(async () => {
    // What a proxy allows that says nothing of destinations.
    daemon = await shared.proxy({ allow: undefined });
  });

  test.each(Object.entries(special))('none is dialled unless it is listed: %s', async (_, hosts) => {
    expect(
      await wrongAnswers(
        daemon,
        hosts.map((host) => `${host}:443`),
        403,
      ),
    ).toEqual([]);
  });

  test('neither "everything" nor every IPv4 address opens them, only a network within their range', async () => {
    const server = await stage.server();
    const { port } = await stage.proxy({
      allow: ['*:*', '0.0.0.0/0:*', '[::]/0:*', '10.0.0.0/8:*', '127.0.0.2/32:*'],
    });
    expect(await statusOf(port, server.target)).toBe(403);
    expect(await statusOf(port, `[::1]:${server.port}`)).toBe(403);
    expect(server.peers).toHaveLength(0);
    expect(await statusOf(port, `127.0.0.2:${server.port}`)).toBe(502); // nobody listens there
  });

  test('link-local networks do not open the metadata address within', async () => {
    const daemon = await stage.proxy({ allow: ['169.254.0.0/16:*'] });
    expect(await statusOf(daemon.port, '169.254.169.254:80')).toBe(403);
  });

  test('an IPv4-mapped address is the IPv4 address', async () => {
    const server = await stage.server();
    const daemon = await stage.proxy({ deny: ['127.0.0.2/32:*'] });
    const tunnel = await openTunnel(daemon.port, `[::ffff:127.0.0.1]:${server.port}`);
    tunnel.client.send('x');
    expect(`${await tunnel.bytes(1)}`).toBe('x');
    expect(await statusOf(daemon.port, `[::ffff:127.0.0.2]:${server.port}`)).toBe(403);
  });
});

describe('ports and order', () => {
  test('ports other than 443 are refused unless they are listed', async () => {
    const server = await stage.server();
    const allow = ['127.0.0.0/8'];
    const closed = await stage.proxy({ allow });
    expect(await wrongAnswers(closed, [`${server.target}`, '127.0.0.1:25', '127.0.0.1:80'], 403)).toEqual([]);
    const open = await stage.proxy({ allow, ports: [443, `${server.port}-${server.port + 1}`] });
    expect(await statusOf(open.port, server.target)).toBe(200);
    expect(await statusOf(open.port, `127.0.0.1:${server.port - 1}`)).toBe(403);
  });

  test('what is denied is denied, whatever is allowed', async () => {
    const server = await stage.server(undefined, '0.0.0.0');
    const daemon = await stage.proxy({ deny: ['127.0.0.8/30:*', '127.0.0.3:25'] });
    const asked = ['127.0.0.1', '127.0.0.8', '127.0.0.11', '127.0.0.12', '127.0.0.3'];
    const answers = await Promise.all(asked.map((host) => statusOf(daemon.port, `${host}:${server.port}`)));
    expect(answers).toEqual([200, 403, 403, 200, 200]);
  });
});

describe('our own listeners', () => {
  test('a destination that leads back here is refused, in whatever form', async () => {
    const port = await freePort();
    const daemon = await stage.proxy(
      { allow: ['127.0.0.0/8:*', '0.0.0.0/8:*', '[::1]:*', '[::]:*'] },
      { listeners: [{ name: 'front', address: `[::]:${port}` }] },
    );
    for (const host of ['127.0.0.1', '127.0.0.77', '0.0.0.0', '[::1]', '[::]', '[::ffff:127.0.0.1]'])
      expect({ host, status: await statusOf(port, `${host}:${port}`) }).toEqual({ host, status: 403 });
    expect(await daemon.metric('anyport_accepted_total')).toBe(6);
  });

  test('so are ports that the kernel has chosen, and those of the control interface and of monitoring', async () => {
    const config = (host: string, adminPort: number) => ({
      listeners: [
        { name: 'front', address: '127.0.0.1:0' },
        { name: 'second', address: `${host}:0` },
      ],
      admin: { listen: `${host}:${adminPort}` },
    });
    const daemon = await stage.proxy({}, config('127.0.0.1', 0));
    const ready = daemon.lines.find(({ msg }) => msg === 'ready') as unknown as Ready;
    const [front = '', second = ''] = ready.listeners.map(({ address }) => address);
    const statusesOf = (targets: readonly string[]) =>
      Promise.all(targets.map((target) => statusOf(portOf(front), target)));
    const monitoring = `127.0.0.1:${daemon.metricsPort}`;
    expect(await statusesOf([front, second, ready.admin, monitoring])).toEqual([403, 403, 403, 403]);

    const admin = `127.0.0.2:${await freePort()}`;
    await daemon.reload({ connect_proxy: onThisMachine, ...config('127.0.0.2', portOf(admin)) });
    const { listeners } = (await (await daemon.get('/health/ready')).json()) as Ready;
    const moved = listeners.map(({ address }) => address);
    expect(moved).toEqual([front, expect.stringMatching(/^127\.0\.0\.2:/)]);
    expect(await statusesOf([...moved, admin, monitoring])).toEqual([403, 403, 403, 403]);
    // Nobody listens there any more.
    expect(await statusesOf([second, ready.admin])).toEqual([502, 502]);
  });
});

interface Ready {
  readonly listeners: readonly { readonly address: string }[];
  readonly admin: string;
}

const portOf = (address: string): number => Number(address.split(':').at(-1));

describe('clients', () => {
  test('a source that is not served is told so, and nothing is dialled', async () => {
    const server = await stage.server();
    const daemon = await stage.proxy({ allow_from: ['127.0.0.9/32'] });
    expect(await statusOf(daemon.port, server.target)).toBe(403);
    expect(server.peers).toHaveLength(0);
  });

  test('without users and without networks of clients the configuration is refused', async () => {
    const folder = stage.folder();
    writeFileSync(`${folder}/open.yaml`, 'server: { listen: ":9090" }\nconnect_proxy: {}\n');
    const { status, stdout, stderr } = await anyport(['check', '-c', `${folder}/open.yaml`]);
    expect(status).toBe(2);
    expect(stdout + stderr).toMatch(/connect_proxy.*open to everybody/);
  });
});
