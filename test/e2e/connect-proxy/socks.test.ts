/** SOCKS 4, 4a and 5 on the same port, under the same rules: RFC 1928 and 1929, in one piece and in many. */
import { beforeAll, describe, expect, test } from 'vitest';
import { hashPassword } from '../../../src/forward-proxy/users/scrypt.js';
import type { Daemon } from '../../support/daemon.js';
import { freePort } from '../../support/ports.js';
import { runProgram } from '../../support/process.js';
import {
  askSocks4,
  askSocks5,
  openTunnel,
  SOCKS4_REPLY_BYTES,
  SOCKS5_REPLY_BYTES,
  socks4Request,
  socks5Greeting,
  socks5Login,
  socks5Request,
} from '../../support/proxy-clients.js';
import { startHttp } from '../../support/servers.js';
import { dial } from '../../support/tcp.js';
import { describeAsRoot, describeWith } from '../../support/tools.js';
import { useStage } from './stage.js';

const stage = useStage();
const shared = useStage('all');

const socks = { socks: true } as const;
/** Replies of SOCKS 5 (RFC 1928 section 6), and of SOCKS 4. */
const codes = { granted: 0, forbidden: 2, refused: 5, command: 7, addressType: 8 } as const;
const codes4 = { granted: 90, refused: 91, identity: 93 } as const;

const nextTurn = () => new Promise((resolve) => setImmediate(resolve));

/** One for everybody here, and one that asks for a user. */
let open: Daemon;
let guarded: Daemon;
beforeAll(async () => {
  const alice = await hashPassword(Buffer.from('secret'), { ln: 14, r: 8, p: 1 });
  const allow = ['*:*', '127.0.0.0/8:*', '[::1]:*'];
  open = await shared.proxy({ ...socks, allow, deny: ['127.0.0.9/32:*'] });
  guarded = await shared.proxy({ ...socks, users: { alice } });
});

describe('SOCKS 5', () => {
  test.each([
    ['IPv4', '127.0.0.1'],
    ['IPv6', '::1'],
  ])('by address: %s', async (_, host) => {
    const server = await stage.server(undefined, host);
    const { tunnel, code } = await askSocks5(open.port, host, server.port);
    expect(code).toBe(codes.granted);
    tunnel.client.send('x').finish();
    expect(`${await tunnel.bytes(1)}`).toBe('x');
    expect(await open.sessionOf(tunnel.client)).toMatchObject({
      protocol: 'socks5',
      upstream: 'connect_proxy',
      endpoint: server.target,
      bytes_up: 1,
      bytes_down: 1,
      reason: 'done',
    });
  });

  test('in one piece with what is for the target, which gets that once', async () => {
    const server = await stage.server(() => {});
    const client = await dial(open.port);
    client.send(
      Buffer.concat([socks5Greeting(0), socks5Request('127.0.0.1', server.port), Buffer.from('hello')]),
    );
    client.finish();
    expect((await client.bytes(2 + SOCKS5_REPLY_BYTES)).subarray(0, 4)).toEqual(Buffer.from([5, 0, 5, 0]));
    const peer = await server.peer(0);
    await peer.end();
    expect(`${peer.received}`).toBe('hello');
  });

  test('byte by byte, with user and password', async () => {
    const server = await stage.server();
    const client = await dial(guarded.port);
    const said = [
      socks5Greeting(0, 1, 2),
      socks5Login('alice', 'secret'),
      socks5Request('127.0.0.1', server.port),
    ];
    let length = 0;
    for (const [n, message] of said.entries()) {
      for (const byte of message) {
        client.send(Buffer.from([byte]));
        await nextTurn();
      }
      length += n < 2 ? 2 : SOCKS5_REPLY_BYTES;
      await client.bytes(length);
    }
    expect([...client.received.subarray(0, 6)]).toEqual([5, 2, 1, 0, 5, 0]);
    client.send('x');
    expect((await client.bytes(length + 1)).toString('latin1', length)).toBe('x');
  });

  test('a greeting cut at every byte is the same greeting', async () => {
    const server = await stage.server();
    const sent = Buffer.concat([
      socks5Greeting(0, 2),
      socks5Request('127.0.0.1', server.port),
      Buffer.from('x'),
    ]);
    const answers = Array.from({ length: sent.length - 1 }, async (_, n) => {
      const client = await dial(open.port);
      client.send(sent.subarray(0, n + 1));
      await nextTurn();
      client.send(sent.subarray(n + 1)).finish();
      await client.end();
      return client.received.toString('hex');
    });
    expect(new Set(await Promise.all(answers))).toEqual(new Set(['050005000001000000000000' + '78']));
  });

  test.each([
    ['BIND', 2],
    ['UDP ASSOCIATE, where it is not offered', 3],
    ['a command that there is not', 9],
  ])('%s is refused with code 7', async (_, command) => {
    const { tunnel, code } = await askSocks5(open.port, '127.0.0.1', 80, { command });
    expect(code).toBe(codes.command);
    expect(await tunnel.client.end()).toBe('fin');
  });

  test('an address of an unknown type is refused with code 8', async () => {
    const client = await dial(open.port);
    client.send(socks5Greeting(0));
    await client.bytes(2);
    client.send(Buffer.from([5, 1, 0, 2, 127, 0, 0, 1, 0, 80]));
    expect((await client.bytes(4))[3]).toBe(codes.addressType);
  });

  test.each([
    ['a private address', '10.0.0.1', 443],
    ['an IPv4-mapped one', '::ffff:10.0.0.1', 443],
    ['the metadata address', '169.254.169.254', 80],
    ['0.0.0.0', '0.0.0.0', 443],
    ['a denied one', '127.0.0.9', 443],
  ])('the rules are the same: %s is refused with code 2', async (_, host, port) => {
    const { tunnel, code } = await askSocks5(open.port, host, port);
    expect(code).toBe(codes.forbidden);
    tunnel.client.finish();
    expect(await open.sessionOf(tunnel.client)).toMatchObject({ by: 'proxy', reason: 'rejected' });
  });

  test.each(['2130706433', '0x7f.1', '127.1', '::1', 'a b', 'a\0b'])('%s is no name', async (name) => {
    const server = await stage.server();
    const client = await dial(open.port);
    client.send(socks5Greeting(0));
    const text = Buffer.from(name, 'latin1');
    const port = Buffer.from([server.port >> 8, server.port & 0xff]);
    client.send(Buffer.concat([Buffer.from([5, 1, 0, 3, text.length]), text, port]));
    expect((await client.bytes(4))[3]).not.toBe(codes.granted);
    expect(server.peers).toHaveLength(0);
  });

  test('a port that refuses is code 5, and the client reads it to its end', async () => {
    const port = await freePort();
    const { tunnel, code } = await askSocks5(open.port, '127.0.0.1', port);
    expect(code).toBe(codes.refused);
    expect(await tunnel.client.end()).toBe('fin');
  });

  test('our own listener is refused', async () => {
    expect((await askSocks5(open.port, '127.0.0.1', open.port)).code).toBe(codes.forbidden);
  });
});

describe('users of SOCKS 5', () => {
  test('name and password are those of CONNECT, and a wrong one ends the connection', async () => {
    const server = await stage.server();
    const right = await askSocks5(guarded.port, '127.0.0.1', server.port, { user: ['alice', 'secret'] });
    expect(right.code).toBe(codes.granted);
    const client = await dial(guarded.port);
    client.send(Buffer.concat([socks5Greeting(2), socks5Login('alice', 'wrong')]));
    expect([...(await client.bytes(4)).subarray(0, 3)]).toEqual([5, 2, 1]);
    expect(client.received[3]).not.toBe(0);
    expect(await client.end()).toBe('fin');
    expect(server.peers).toHaveLength(1);
  });

  test('a client that offers no password is told that nothing suits', async () => {
    const client = await dial(guarded.port);
    client.send(socks5Greeting(0, 1));
    expect([...(await client.bytes(2))]).toEqual([5, 0xff]);
    expect(await client.end()).toBe('fin');
  });

  test('what is no UTF-8, and what is 255 bytes long, is wrong and nothing worse', async () => {
    for (const name of [Buffer.from([0xff, 0xfe]), Buffer.alloc(255, 0x61)]) {
      const client = await dial(guarded.port);
      client.send(Buffer.concat([socks5Greeting(2), socks5Login(name, Buffer.alloc(255, 0x62))]));
      const reply = await client.bytes(4);
      expect([reply[2], reply[3] === 0]).toEqual([1, false]);
      client.socket.destroy();
    }
  });

  test('SOCKS 4 has no password, so it is refused where there are users', async () => {
    const server = await stage.server();
    expect((await askSocks4(guarded.port, '127.0.0.1', server.port)).code).toBe(codes4.identity);
    expect(server.peers).toHaveLength(0);
  });
});

describe('SOCKS 4', () => {
  test('by address, with bytes behind the request that reach the target once', async () => {
    const server = await stage.server(() => {});
    const client = await dial(open.port);
    client.send(Buffer.concat([socks4Request('127.0.0.1', server.port), Buffer.from('hello')])).finish();
    expect([...(await client.bytes(SOCKS4_REPLY_BYTES)).subarray(0, 2)]).toEqual([0, codes4.granted]);
    const peer = await server.peer(0);
    await peer.end();
    expect(`${peer.received}`).toBe('hello');
  });

  test('BIND, special addresses and our own listener are refused', async () => {
    expect((await askSocks4(open.port, '127.0.0.1', 80, 2)).code).toBe(codes4.refused);
    expect((await askSocks4(open.port, '10.0.0.1', 443)).code).toBe(codes4.refused);
    expect((await askSocks4(open.port, '127.0.0.1', open.port)).code).toBe(codes4.refused);
  });
});

describeAsRoot('by name', () => {
  test('4a and 5 have it looked up here, once, and every address judged', async () => {
    const { dns, options } = await stage.names();
    const server = await stage.server();
    dns.names.set('good.test', ['127.0.0.1']);
    dns.names.set('mixed.test', ['127.0.0.1', '10.0.0.1']);
    const daemon = await stage.proxy({ ...socks, allow: ['*.test:*', '127.0.0.0/8:*'] }, { options });
    expect((await askSocks5(daemon.port, 'good.test', server.port)).code).toBe(codes.granted);
    expect((await askSocks4(daemon.port, 'good.test', server.port)).code).toBe(codes4.granted);
    expect((await askSocks5(daemon.port, 'mixed.test', server.port)).code).toBe(codes.forbidden);
    expect((await askSocks4(daemon.port, 'mixed.test', server.port)).code).toBe(codes4.refused);
    expect(dns.asked.filter((name) => name === 'mixed.test')).toHaveLength(1);
  });
});

test('where SOCKS is not switched on nothing answers it, and CONNECT goes on', async () => {
  const server = await stage.server();
  const daemon = await stage.proxy();
  const client = await dial(daemon.port);
  client.send(Buffer.concat([socks5Greeting(0), socks5Request('127.0.0.1', server.port)]));
  await client.end();
  expect(client.received).toHaveLength(0);
  expect(server.peers).toHaveLength(0);
  await openTunnel(daemon.port, server.target);
});

describeWith('curl', 'nginx')('curl', () => {
  test.each(['socks4', 'socks4a', 'socks5', 'socks5h'])('%s', async (version) => {
    const http = await startHttp();
    stage.later(() => http.stop());
    const args = ['-sS', '--noproxy', '', '-4', '-x', `${version}://127.0.0.1:${open.port}`];
    const answer = await runProgram('curl', [...args, `http://localhost:${http.port}/`]);
    expect(answer).toMatchObject({ status: 0, stdout: 'served by nginx\n' });
  });
});
