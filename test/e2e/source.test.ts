/** Where connections to endpoints come from, as endpoints see it, and what happens when this machine lacks something. */
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { connect } from 'node:net';
import { afterEach, describe, expect, test } from 'vitest';
import { type Daemon, startDaemon } from '../support/daemon.js';
import { freePort } from '../support/ports.js';
import { runProgram } from '../support/process.js';
import { startSlowNetwork } from '../support/slow-network.js';
import { dial, echo, listenTcp, Peer } from '../support/tcp.js';
import { tempFolder } from '../support/temp.js';
import { describeAsRoot, describeWith } from '../support/tools.js';
import { eventually } from '../support/wait.js';

const PING = '*1\r\n$4\r\nPING\r\n';

const cleanups: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

async function start(options: object, more: object = {}, wrapper: readonly string[] = []): Promise<Daemon> {
  const config = { protocols: [{ name: 'Redis', target: 'u' }], upstreams: { u: options }, ...more };
  const daemon = await startDaemon(config, { wrapper });
  cleanups.push(() => daemon.stop());
  return daemon;
}

async function echoing(host?: string) {
  const upstream = await listenTcp(echo, host);
  cleanups.push(() => upstream.close());
  return upstream;
}

async function ask(client: Peer): Promise<Peer> {
  client.send(PING);
  await client.bytes(PING.length);
  return client;
}

const lacking = (daemon: Daemon, what: string) =>
  daemon.metric('anyport_dial_shortages_total', { upstream: 'u', lacking: what });

describe('source.address', () => {
  test('is what endpoints see', async () => {
    const [four, six] = [await echoing(), await echoing('::1')];
    const source = { address: ['127.0.0.99', '::1'] };
    const daemon = await start({ endpoints: [four.target, six.target], source });
    await ask(await dial(daemon.port));
    await ask(await dial(daemon.port));
    expect((await four.peer(0)).socket.remoteAddress).toBe('127.0.0.99');
    expect((await six.peer(0)).socket.remoteAddress).toBe('::1');
  });

  test('that is not of this machine ends the session, and is not held against the endpoint', async () => {
    const upstream = await echoing();
    const daemon = await start({ endpoints: [upstream.target], source: { address: '192.0.2.77' } });
    const client = (await dial(daemon.port)).send(PING);
    expect(await client.end()).toBe('reset');
    expect(await daemon.sessionOf(client)).toMatchObject({
      by: 'proxy',
      during: 'connect',
      reason: 'connect_failed',
      error: 'no_such_source',
    });
    expect(await lacking(daemon, 'source')).toBe(1);
    expect(await daemon.metric('anyport_endpoint_up', { upstream: 'u' })).toBe(1);
  });
});

describeWith('ss')('on the socket', () => {
  test('source.interface, tcp.congestion', async () => {
    const upstream = await echoing();
    const daemon = await start({
      endpoints: [upstream.target],
      source: { interface: 'lo' },
      tcp: { congestion: 'reno' },
    });
    await ask(await dial(daemon.port));
    const shown = execFileSync('ss', ['-tniH', 'state', 'established', `( dport = :${upstream.port} )`], {
      encoding: 'utf8',
    });
    expect(shown).toMatch(/127\.0\.0\.1%lo:\d+/);
    expect(shown).toMatch(/^\s+reno /m);
  });
});

/** Says to every client where it comes from. */
const MIRROR = `
import socket, struct, sys, threading
def serve(connection, peer):
    try:
        connection.recv(4096)
        connection.sendall(("%s\\n" % peer[0]).encode())
        while connection.recv(4096): pass
    except OSError: pass
    # A reset leaves no port in TIME_WAIT.
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.close()
family = socket.AF_INET6 if ":" in sys.argv[1] else socket.AF_INET
server = socket.socket(family)
server.bind((sys.argv[1], int(sys.argv[2])))
server.listen()
print("ready", flush=True)
while True: threading.Thread(target=serve, args=server.accept(), daemon=True).start()`;

describeAsRoot('across a network', () => {
  const DELAY_MS = 2;

  async function startFar() {
    const network = await startSlowNetwork(DELAY_MS);
    cleanups.push(() => network.stop());
    const [, , index = ''] = network.host.split('.');
    const there = async (command: string, ...args: string[]) => {
      const [status] = (await once(network.spawn(command, args), 'exit')) as [number];
      expect(status, `${command} ${args.join(' ')}`).toBe(0);
    };
    const here = (...args: string[]) => execFileSync('ip', args);
    const mirror = async (host: string) => {
      const server = network.spawn('python3', ['-c', MIRROR, host, '7']);
      if (server.stdout !== null) await once(server.stdout, 'data');
    };
    await there('ip', 'route', 'add', 'default', 'via', `10.77.${index}.1`);
    // Forgotten with the device, whose address is not needed any more.
    here('-6', 'address', 'add', `fd77:${index}::1/64`, 'dev', `slow${index}`, 'nodad');
    await there('ip', '-6', 'address', 'add', `fd77:${index}::2/64`, 'dev', 'slow', 'nodad');
    await there('ip', '-6', 'route', 'add', 'default', 'dev', 'slow');
    return { ...network, index, six: `fd77:${index}::2`, here, mirror };
  }

  /** What comes from there is for this machine, whatever its destination: the rules of docs/operations.md. */
  function takeAnswers({ index, here }: Awaited<ReturnType<typeof startFar>>) {
    const table = String(7700 + Number(index));
    for (const [family, everything] of [
      ['-4', '0.0.0.0/0'],
      ['-6', '::/0'],
    ] as const) {
      here(family, 'rule', 'add', 'iif', `slow${index}`, 'lookup', table);
      here(family, 'route', 'add', 'local', everything, 'dev', 'lo', 'table', table);
      cleanups.push(() => {
        here(family, 'rule', 'del', 'iif', `slow${index}`, 'lookup', table);
        here(family, 'route', 'flush', 'table', table);
      });
    }
  }

  test('source.transparent: endpoints see the client that a PROXY header announces, of their own family', async () => {
    const far = await startFar();
    takeAnswers(far);
    await far.mirror(far.host);
    await far.mirror(far.six);
    const port = await freePort();
    const proxied = { accept: true, trusted: ['127.0.0.0/8'] };
    const daemon = await start(
      { endpoints: [`${far.host}:7`, `[${far.six}]:7`], source: { transparent: true } },
      { listeners: [{ name: 'front', address: `127.0.0.1:${port}`, proxy_protocol: proxied }] },
    );
    const seenOf = async (family: string, client: string) => {
      const peer = await dial(port);
      peer.send(`PROXY ${family} ${client} ${client} 4321 80\r\n${PING}`);
      await eventually('an answer', () => peer.received.includes('\n') || peer.ending !== undefined);
      return peer.received.toString().trim();
    };
    // The endpoints take turns: some of each family begin with the one that they can not reach.
    for (let n = 0; n < 3; n += 1)
      expect(await seenOf('TCP4', `198.51.100.${n + 1}`)).toBe(`198.51.100.${n + 1}`);
    for (let n = 0; n < 3; n += 1) {
      expect(await seenOf('TCP6', `2001:db8::${n + 1}`)).toBe(`2001:db8::${n + 1}`);
    }
    expect(await lacking(daemon, 'family')).toBeGreaterThan(0);
    expect(daemon.lines.filter(({ level }) => level === 'warn' || level === 'error')).toEqual([]);
  });

  test('a client and endpoints of different families: a clear end', async () => {
    const far = await startFar();
    const daemon = await start({ endpoints: [`[${far.six}]:7`], source: { transparent: true } });
    const client = (await dial(daemon.port)).send(PING);
    expect(await client.end()).toBe('reset');
    expect(await daemon.sessionOf(client)).toMatchObject({
      by: 'proxy',
      reason: 'connect_failed',
      error: 'families_differ',
    });
  });

  test('a blackholed IPv6 address costs a quarter of a second', async () => {
    const far = await startFar();
    await far.mirror(far.host);
    const folder = tempFolder();
    cleanups.push(() => folder.remove());
    const hosts = `${folder.path}/hosts`;
    // Nobody there has the second address: what is sent to it is lost.
    execFileSync('sh', ['-c', `printf 'fd77:${far.index}::dead both\\n${far.host} both\\n' > ${hosts}`]);
    const wrapper = ['unshare', '-m', 'sh', '-c', `mount --bind ${hosts} /etc/hosts && exec "$@"`, 'sh'];
    const daemon = await start({ endpoints: ['both:7'] }, {}, wrapper);
    const times: number[] = [];
    for (let n = 0; n < 5; n += 1) {
      const client = await dial(daemon.port);
      client.send(PING);
      await eventually('an answer', () => client.received.includes('\n'));
      client.finish();
      times.push((await daemon.sessionOf(client)).connect_ms as number);
    }
    const sorted = times.toSorted((a, b) => a - b).map((ms) => Math.round(ms));
    console.log(`connected beside a blackholed IPv6 address after ${sorted.join(', ')} ms`);
    // It was tried first: less would mean that it was not.
    expect(sorted[0]).toBeGreaterThanOrEqual(250);
    expect(sorted[0]).toBeLessThan(350);
  });
});

describeAsRoot('two local ports', () => {
  /** The daemon alone in a network namespace, reached over a Unix socket. */
  async function startAlone(endpoints: readonly string[]) {
    const folder = tempFolder();
    cleanups.push(() => folder.remove());
    const path = `${folder.path}/front.sock`;
    const ports = 'echo 50000 50001 > /proc/sys/net/ipv4/ip_local_port_range';
    const daemon = await start(
      { endpoints, retries: 0, source: { address: '127.0.0.99' } },
      { listeners: [{ name: 'front', address: `unix:${path}` }] },
      ['unshare', '-n', 'sh', '-c', `ip link set lo up && ${ports} && exec "$@"`, 'sh'],
    );
    for (const endpoint of endpoints) {
      const [host = '', port = ''] = endpoint.split(':');
      const inside = ['-t', String(daemon.pid), '-n', 'python3', '-c', MIRROR, host, port];
      const server = spawn('nsenter', inside, { stdio: ['ignore', 'pipe', 'inherit'] });
      cleanups.push(() => server.kill('SIGKILL'));
      await once(server.stdout, 'data');
    }
    const open = async () => {
      const socket = connect({ path, allowHalfOpen: true });
      await once(socket, 'connect');
      const client = new Peer(socket).send(PING);
      await eventually('an answer', () => client.received.includes('\n') || client.ending !== undefined);
      return client;
    };
    const metrics = async () => {
      const url = `http://127.0.0.1:${daemon.metricsPort}/metrics`;
      const args = ['-t', String(daemon.pid), '-n', 'python3', '-c'];
      const get = `import urllib.request as u; print(u.urlopen("${url}").read().decode())`;
      return (await runProgram('nsenter', [...args, get])).stdout;
    };
    return { daemon, open, metrics };
  }

  test('are enough for two connections to each address, and a session more is told from a failing endpoint', async () => {
    const { daemon, open, metrics } = await startAlone(['127.0.0.1:7001', '127.0.0.1:7002']);
    const clients = [];
    for (let n = 0; n < 4; n += 1) clients.push(await open());
    for (const client of clients) expect(client.received.toString()).toBe('127.0.0.99\n');
    const fifth = await open();
    expect(fifth.received).toHaveLength(0);
    const [line] = await daemon.ended(1);
    expect(line).toMatchObject({ by: 'proxy', reason: 'over_limit', error: 'EADDRNOTAVAIL' });
    expect(await metrics()).toMatch(/anyport_dial_shortages_total\{[^}]*lacking="ports"[^}]*\} 1\n/);

    for (const client of clients) client.finish();
    await daemon.ended(5);
    expect((await open()).received.toString()).toBe('127.0.0.99\n');
  });
});
