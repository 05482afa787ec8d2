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

async function open(each: number, ...configs: ListenerConfig[]): Promise<ListeningSockets> {
  const sockets = await ListeningSockets.open(configs, { places: each }, native);
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
    await expect(ListeningSockets.open([inet('front', 443)], { places: 1 }, unprivileged)).rejects.toThrow(
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
    await expect(ListeningSockets.open(configs, { places: 2 }, counting)).rejects.toThrow('listener c');
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
    const sockets = await ListeningSockets.open([inet('front', 0, '::')], { places: 2 }, withoutIpv6);
    opened.push(sockets);
    expect(sockets.addresses[0]?.address).toMatch(/^0\.0\.0\.0:\d+$/);
  });
});

describe('unix listeners', () => {
  test('have one socket for all workers, and a file until they close', async () => {
    const path = join(directory, 'a.sock');
    const sockets = await open(3, unix('local', path));
    expect(sockets.addresses).toEqual([{ name: 'local', address: `unix:${path}` }]);
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
