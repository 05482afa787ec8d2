import { existsSync, mkdtempSync, rmSync, statSync, unlinkSync, writeFileSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { native } from '../../src/addon.js';
import { noLists } from '../../src/config/validate/lists.js';
import type { ListenerConfig } from '../../src/model/config.js';
import type { SocketCalls } from '../../src/primary/socket-group.js';
import { ListeningSockets } from '../../src/primary/sockets.js';
import { freePort } from '../support/ports.js';

let directory: string;
const opened: ListeningSockets[] = [];
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'anyport-listening-'));
});
afterEach(() => {
  for (const sockets of opened.splice(0)) sockets.close();
  rmSync(directory, { recursive: true, force: true });
});

const rest = {
  protocols: [],
  onUnknown: { kind: 'end', closing: 'close' },
  onSilence: null,
  forward: null,
  transport: 'tcp' as const,
  kcp: null,
  proxyProtocol: null,
  maxConnections: 0,
  lists: noLists,
} as const;

function inet(name: string, port: number, host = '127.0.0.1'): ListenerConfig {
  return { name, address: { kind: 'inet', host, port, text: `${host}:${port}` }, ...rest };
}

function unix(name: string, path: string, mode = 0o660): ListenerConfig {
  return { name, address: { kind: 'unix', path, text: `unix:${path}`, mode }, ...rest };
}

const all = (places: number) => ({ tcp: places, udp: places });

async function open(each: number, ...configs: ListenerConfig[]): Promise<ListeningSockets> {
  const sockets = await ListeningSockets.open(configs, { places: all(each) }, native);
  opened.push(sockets);
  return sockets;
}

const byNumber = (a: number, b: number) => a - b;
const portOf = (sockets: ListeningSockets) => Number(sockets.addresses[0]?.address.split(':').at(-1));

function reaches(target: { port: number } | { path: string }): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(target);
    socket.once('connect', () => resolve(true));
    socket.once('error', () => resolve(false));
    socket.once('connect', () => socket.destroy());
  });
}

const calls: SocketCalls = {
  listen: (address, options) => native.listen(address, options),
  bindUdp: (address, options) => native.bindUdp(address, options),
  localAddress: (fd) => native.localAddress(fd),
  closeFd: (fd) => native.closeFd(fd),
  socketNumber: (fd) => native.socketNumber(fd),
};

describe('inet listeners', () => {
  test('have a socket a worker, all on the port that the system chose for the first', async () => {
    const sockets = await open(3, inet('front', 0));
    const port = portOf(sockets);
    expect(port).toBeGreaterThan(0);
    const fds = [0, 1, 2].map((worker) => sockets.of(worker)[0]?.fd as number);
    expect(new Set(fds).size).toBe(3);
    for (const fd of fds) expect(native.localAddress(fd)).toMatchObject({ host: '127.0.0.1', port });
    expect(await reaches({ port })).toBe(true);
    sockets.close();
    expect(await reaches({ port })).toBe(false);
  });

  test.each([
    { why: 'one worker, one socket', each: 1 },
    { why: 'a port that could be shared is not', each: 2 },
  ])('refuse a port in use, by name: $why', async ({ each }) => {
    const first = await open(each, inet('front', 0));
    const port = portOf(first);
    await expect(open(each, inet('other', port))).rejects.toThrow(
      `listener other can not listen on 127.0.0.1:${port}: the address is in use (EADDRINUSE)`,
    );
  });

  test('a port that needs a privilege: what gives it', async () => {
    const unprivileged: SocketCalls = {
      ...calls,
      listen: () => {
        throw Object.assign(new Error('listen'), { code: 'EACCES' });
      },
    };
    await expect(
      ListeningSockets.open([inet('front', 443)], { places: all(1) }, unprivileged),
    ).rejects.toThrow(
      /front can not listen on .*:443: permission denied \(EACCES\); a low port takes one of three: .*server\.user.*CAP_NET_BIND_SERVICE.*ip_unprivileged_port_start=443/,
    );
  });

  test('leave none open when one can not be', async () => {
    const taken = await open(1, inet('taken', 0));
    const closed: number[] = [];
    const listened: number[] = [];
    const counting: SocketCalls = {
      ...calls,
      listen: (address, options) => {
        const fd = native.listen(address, options);
        listened.push(fd);
        return fd;
      },
      closeFd: (fd) => {
        closed.push(fd);
        native.closeFd(fd);
      },
    };
    const configs = [inet('a', 0), inet('b', 0), inet('c', portOf(taken))];
    await expect(ListeningSockets.open(configs, { places: all(2) }, counting)).rejects.toThrow('listener c');
    expect(closed.toSorted(byNumber)).toEqual(listened.toSorted(byNumber));
  });

  test('on all addresses are on the IPv4 ones where there is no IPv6', async () => {
    const withoutIpv6: SocketCalls = {
      ...calls,
      listen: (address, options) => {
        if ('host' in address && address.host === '::')
          throw Object.assign(new Error(), { code: 'EAFNOSUPPORT' });
        return native.listen(address, options);
      },
    };
    const sockets = await ListeningSockets.open([inet('front', 0, '::')], { places: all(2) }, withoutIpv6);
    opened.push(sockets);
    expect(sockets.addresses[0]?.address).toMatch(/^0\.0\.0\.0:\d+$/);
  });
});

describe('listeners of datagrams', () => {
  const udp = (name: string, port: number): ListenerConfig => ({ ...inet(name, port), transport: 'udp' });
  const both = (name: string, port: number): ListenerConfig => ({
    ...inet(name, port),
    transport: 'tcp+udp',
  });
  const udpPort = (fd: number) => native.localAddress(fd);

  test('have a socket a worker, which no other has', async () => {
    const sockets = await open(3, udp('ns', 0));
    const port = portOf(sockets);
    expect(sockets.addresses).toEqual([{ name: 'ns', address: `127.0.0.1:${port}`, transport: 'udp' }]);
    const own = [0, 1, 2].map((worker) => sockets.of(worker));
    expect(own.map((each) => each.length)).toEqual([1, 1, 1]);
    for (const [socket] of own) expect(udpPort(socket?.fd ?? -1)).toMatchObject({ host: '127.0.0.1', port });
    expect(new Set(own.flat().map(({ socket }) => socket)).size).toBe(3);
    expect(own.flat().map(({ transport, listener }) => `${transport} ${listener}`)).toEqual([
      'udp 0',
      'udp 0',
      'udp 0',
    ]);
  });

  test('and streams on one port are one listener with two groups', async () => {
    const sockets = await open(2, inet('web', 0), both('any', 0));
    expect(sockets.addresses.map(({ transport }) => transport)).toEqual(['tcp', 'tcp+udp']);
    const own = sockets.of(1).filter(({ listener }) => listener === 1);
    expect(own.map(({ transport }) => transport)).toEqual(['tcp', 'udp']);
    const ports = own.map(({ fd }) => udpPort(fd));
    expect(ports[0]).toEqual(ports[1]);
  });

  test('may have the port of streams of another listener', async () => {
    const port = await freePort();
    await open(1, inet('web', port));
    const sockets = await open(1, udp('ns', port));
    expect(portOf(sockets)).toBe(port);
  });

  test('refuse a port in use, by name, though it could be shared', async () => {
    const port = await freePort();
    await open(2, udp('ns', port));
    await expect(open(2, udp('other', port))).rejects.toThrow(
      `listener other can not take datagrams on 127.0.0.1:${port}: the address is in use (EADDRINUSE); this process listens there`,
    );
    await expect(open(2, both('other', port))).rejects.toThrow('EADDRINUSE');
    // What was opened for its streams is closed.
    const streams = await open(1, inet('web', port));
    expect(portOf(streams)).toBe(port);
  });

  test('in handoff mode are the workers’ all the same', async () => {
    const sockets = await ListeningSockets.open([both('any', 0)], { places: { tcp: 1, udp: 2 } }, native);
    opened.push(sockets);
    expect(sockets.of(0).map(({ transport }) => transport)).toEqual(['tcp', 'udp']);
    expect(sockets.of(1).map(({ transport }) => transport)).toEqual(['udp']);
  });

  test('keep their sockets when streams come and go beside them', async () => {
    const port = await freePort();
    const before = await open(2, udp('ns', port));
    const numbers = (sockets: ListeningSockets, transport: string) =>
      [0, 1].flatMap((place) =>
        sockets.of(place).flatMap((each) => (each.transport === transport ? each.socket : [])),
      );
    const options = { places: all(2) };
    const wider = await before.prepare([both('renamed', port)], options);
    expect(numbers(wider.sockets, 'udp')).toEqual(numbers(before, 'udp'));
    expect(numbers(wider.sockets, 'tcp')).toHaveLength(2);
    wider.commit();
    opened.push(wider.sockets);
    expect(await reaches({ port })).toBe(true);
    const narrower = await wider.sockets.prepare([udp('ns', port)], options);
    narrower.commit();
    opened.push(narrower.sockets);
    expect(numbers(narrower.sockets, 'udp')).toEqual(numbers(before, 'udp'));
    expect(await reaches({ port })).toBe(false);
  });

  test('one that another process opened is one worker’s', async () => {
    const fd = native.bindUdp({ host: '127.0.0.1', port: 0 }, { reusePort: false, receiveBuffer: 0 });
    const bound = native.localAddress(fd);
    const text = 'port' in bound ? `127.0.0.1:${bound.port}` : '';
    const address = { kind: 'inet', host: '127.0.0.1', port: Number(text.split(':')[1]), text } as const;
    const group = {
      transport: 'udp' as const,
      address,
      bound: text,
      sockets: [{ socket: native.socketNumber(fd), fd }],
      retiring: [],
      file: null,
      isFixed: true,
    };
    const inherited = [{ name: '', use: 'listener' as const, isNamed: false, group }];
    const places = all(3);
    const { sockets } = await ListeningSockets.inherited(inherited, places, native).prepare(
      [udp('ns', address.port)],
      { places },
    );
    opened.push(sockets);
    expect([0, 1, 2].map((place) => sockets.of(place).length)).toEqual([1, 0, 0]);
  });
});

describe('unix listeners', () => {
  test('have one socket for all workers, and a file until they close', async () => {
    const path = join(directory, 'a.sock');
    const sockets = await open(3, unix('local', path));
    expect(sockets.addresses).toEqual([{ name: 'local', address: `unix:${path}`, transport: 'tcp' }]);
    expect(sockets.of(0)).toEqual(sockets.of(2));
    expect(await reaches({ path })).toBe(true);
    sockets.close();
    expect(existsSync(path)).toBe(false);
  });

  test('take over a path that nobody answers on', async () => {
    const path = join(directory, 'a.sock');
    native.closeFd(native.listen({ path }, { reusePort: false, backlog: 1 }));
    expect(statSync(path).isSocket()).toBe(true);
    await open(1, unix('local', path));
    expect(await reaches({ path })).toBe(true);
  });

  test('leave a path alone on which somebody answers', async () => {
    const path = join(directory, 'a.sock');
    const server = createServer().listen(path);
    await expect(open(1, unix('local', path))).rejects.toThrow(
      `listener local can not listen on unix:${path}: the address is in use (EADDRINUSE)`,
    );
    expect(await reaches({ path })).toBe(true);
    server.close();
  });

  test('say that their folder is missing', async () => {
    const path = join(directory, 'none', 'a.sock');
    await expect(open(1, unix('local', path))).rejects.toThrow(
      `listener local can not listen on unix:${path}: there is no such folder (ENOENT)`,
    );
  });

  test('leave a file alone that is no socket', async () => {
    const path = join(directory, 'a.sock');
    writeFileSync(path, 'precious');
    await expect(open(1, unix('local', path))).rejects.toThrow('EADDRINUSE');
    expect(statSync(path).size).toBe(8);
  });

  test('do not remove what another process put in their place', async () => {
    const path = join(directory, 'a.sock');
    const sockets = await open(1, unix('local', path));
    unlinkSync(path);
    writeFileSync(path, 'precious');
    sockets.close();
    expect(existsSync(path)).toBe(true);
  });
});
