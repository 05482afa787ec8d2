/** Who may use the proxy: Basic authentication over hashes, on one connection and on many, and a file that changes. */
import { renameSync, writeFileSync } from 'node:fs';
import { beforeAll, describe, expect, test } from 'vitest';
import { hashPassword } from '../../../src/forward-proxy/users/scrypt.js';
import { anyport, type Daemon } from '../../support/daemon.js';
import { runProgram } from '../../support/process.js';
import {
  answerTo,
  askTunnel,
  basic,
  connectHead,
  type HttpAnswer,
  openTunnel,
  statusOf,
} from '../../support/proxy-clients.js';
import { dial } from '../../support/tcp.js';
import { eventually } from '../../support/wait.js';
import { useStage } from './stage.js';

const stage = useStage();
const shared = useStage('all');

/** It stands nowhere else in what is written. */
const SECRET = 'Korrekt-Pferd-7';
const LONG = 'x'.repeat(1000);
/** Name → password. */
const passwords = { alice: SECRET, bob: 'Tür:ñ密', carol: LONG, zoë: SECRET } as const;

/** The cheapest that there is: tests compute many. */
const costs = { ln: 14, r: 8, p: 1 };
const hashOf = (password: string) => hashPassword(Buffer.from(password), costs);

let users: Record<string, string>;
beforeAll(async () => {
  const hashed = Object.entries(passwords).map(async ([name, password]) => [name, await hashOf(password)]);
  users = Object.fromEntries(await Promise.all(hashed));
});

/** As a proxy has to ask (RFC 9110 section 11.7.1). */
function expectChallenge({ status, headers, content }: HttpAnswer): void {
  expect(status).toBe(407);
  expect(headers['proxy-authenticate']).toMatch(/^Basic realm="[^"]+", charset="UTF-8"$/);
  expect(content).toMatch(/^[^\n]+\n$/);
}

let daemon: Daemon;
beforeAll(async () => {
  daemon = await shared.proxy({ users });
});

describe('Basic authentication', () => {
  test.each(Object.entries(passwords))('%s is known by name and password', async (name, password) => {
    const server = await stage.server();
    const tunnel = await openTunnel(daemon.port, server.target, [basic(name, password)]);
    tunnel.client.send('x').finish();
    expect(`${await tunnel.bytes(1)}`).toBe('x');
  });

  const unsuited: readonly (readonly [string, readonly string[] | null])[] = [
    ['none', []],
    ['a wrong password', [basic('alice', SECRET.toLowerCase())]],
    ['an empty password', [basic('alice', '')]],
    ['a part of the password', [basic('alice', SECRET.slice(0, -1))]],
    ['more than the password', [basic('alice', `${SECRET} `)]],
    ['a name that nobody has', [basic('mallory', SECRET)]],
    ['another letter case', [basic('Alice', SECRET)]],
    ['an empty name', [basic('', SECRET)]],
    ["somebody else's password", [basic('alice', LONG)]],
    ['megabytes of password', [basic('alice', 'x'.repeat(20_000))]],
    ['no base64', ['Proxy-Authorization: Basic ****']],
    ['no colon', [`Proxy-Authorization: Basic ${Buffer.from('alice').toString('base64')}`]],
    ['another scheme', ['Proxy-Authorization: Bearer secret']],
    ['those for the server', [basic('alice', SECRET).replace('Proxy-', '')]],
    ['an empty header', ['Proxy-Authorization:']],
    ['the hash itself', null],
  ];

  // Each from an address of its own: guesses of one source would be braked.
  test.each(unsuited.map(([what, headers], n) => [what, headers, `127.0.1.${n + 1}`] as const))(
    'is answered 407 for %s',
    async (_, headers, from) => {
      const server = await stage.server();
      const client = await dial(daemon.port, from);
      client.send(connectHead(server.target, ...(headers ?? [basic('alice', users.alice ?? '')])));
      expectChallenge(await answerTo(client));
      client.socket.destroy();
      expect(server.peers).toHaveLength(0);
      expect(await daemon.sessionOf(client)).toMatchObject({
        upstream: 'connect_proxy',
        bytes_up: 0,
        bytes_down: 0,
      });
    },
  );

  test('two sets of credentials are no request', async () => {
    expect(await statusOf(daemon.port, '127.0.0.1:1', basic('alice', SECRET), basic('alice', 'x'))).toBe(400);
  });

  test('names of users are no secret of theirs: one that nobody has is answered as a wrong password is', async () => {
    const answers = ['alice', 'mallory'].map((name) =>
      askTunnel(daemon.port, '127.0.0.1:1', [basic(name, 'no')]),
    );
    const [known, unknown] = (await Promise.all(answers)).map(({ client, answer }) => {
      client.socket.destroy();
      return answer;
    });
    expect(unknown).toEqual(known);
  });

  test('whoever is not served as a source is not asked who he is', async () => {
    const daemon = await stage.proxy({ users, allow_from: ['127.0.0.9/32'] });
    expect(await statusOf(daemon.port, '127.0.0.1:1')).toBe(403);
  });

  test('destinations are told to users alone: who is none gets 407 for denied ones too', async () => {
    const daemon = await stage.proxy({ users, deny: ['127.0.0.1/32:*'] });
    expect(await statusOf(daemon.port, '127.0.0.1:1')).toBe(407);
    expect(await statusOf(daemon.port, '127.0.0.1:1', basic('alice', SECRET))).toBe(403);
  });
});

describe('on the same connection', () => {
  test('407 first, and the tunnel for the same request with credentials', async () => {
    const server = await stage.server();
    const client = await dial(daemon.port);
    client.send(connectHead(server.target));
    const first = await answerTo(client);
    expect(first.status).toBe(407);
    client.send(`${connectHead(server.target, basic('alice', SECRET))}early`);
    const second = await answerTo(client, first.length);
    expect(second.status).toBe(200);
    const head = first.length + second.length;
    expect((await client.bytes(head + 5)).toString('latin1', head)).toBe('early');
    client.finish();
    expect((await server.peer(0)).received.toString()).toBe('early');
    expect(await daemon.sessionOf(client)).toMatchObject({ reason: 'done', bytes_up: 5, bytes_down: 5 });
  });

  test('a client that asked for it to be closed is not asked twice', async () => {
    const { client, answer } = await askTunnel(daemon.port, '127.0.0.1:1', ['Connection: close']);
    expect([answer.status, answer.headers.connection]).toEqual([407, 'close']);
    expect(await client.end()).toBe('fin');
  });

  test('not for ever: after some attempts it is closed', async () => {
    const client = await dial(daemon.port);
    let from = 0;
    for (let attempt = 0; attempt < 10 && client.ending === undefined; attempt += 1) {
      client.send(connectHead('127.0.0.1:1'));
      const answer = await answerTo(client, from);
      expect(answer.status).toBe(407);
      from += answer.length;
      if (answer.headers.connection === 'close') break;
    }
    expect(await client.end()).toBe('fin');
  });
});

describe('users in files and from the command', () => {
  test('a hash as `anyport hash-password` prints it is one of a users_file', async () => {
    const { stdout, status } = await runProgram('bin/anyport', ['hash-password'], { input: `${SECRET}\n` });
    expect([status, stdout]).toEqual([0, expect.stringMatching(/^\$scrypt\$[^\n]+\n$/)]);
    const file = `${stage.folder()}/users`;
    writeFileSync(file, `# who may\nalice:${stdout}`);
    const daemon = await stage.proxy({ users_file: file });
    expect(await statusOf(daemon.port, '127.0.0.1:1', basic('alice', SECRET))).toBe(502);
    expect(await statusOf(daemon.port, '127.0.0.1:1', basic('alice', 'no'))).toBe(407);
  });

  test('a users_file that changes counts at once: others may, those who are gone may not, and tunnels go on', async () => {
    const file = `${stage.folder()}/users`;
    const write = (text: string) => {
      writeFileSync(`${file}.new`, text);
      renameSync(`${file}.new`, file);
    };
    const server = await stage.server();
    write(`alice:${users.alice}\n`);
    const daemon = await stage.proxy({ users_file: file }, { server: { reload_on_change: true } });
    const tunnel = await openTunnel(daemon.port, server.target, [basic('alice', SECRET)]);
    const becomes = (name: string, password: string, wanted: number) =>
      eventually(`${name} to get ${wanted}`, async () => {
        return (await statusOf(daemon.port, server.target, basic(name, password))) === wanted;
      });
    write(`bob:${users.bob}\n`);
    await becomes('bob', passwords.bob, 200);
    await becomes('alice', SECRET, 407);
    // Another password of the same user: the old one was verified before.
    write(`bob:${users.alice}\n`);
    await becomes('bob', SECRET, 200);
    await becomes('bob', passwords.bob, 407);
    tunnel.client.send('still here');
    expect(`${await tunnel.bytes(10)}`).toBe('still here');
  });

  test('a users_file that is broken changes nothing, and no line of the log shows what is in it', async () => {
    const file = `${stage.folder()}/users`;
    writeFileSync(file, `alice:${users.alice}\n`);
    const daemon = await stage.proxy({ users_file: file });
    writeFileSync(file, 'alice:hunter2\n');
    expect(await daemon.reload()).toMatchObject({ msg: expect.stringMatching(/^reload refused/) });
    expect(await statusOf(daemon.port, '127.0.0.1:1', basic('alice', SECRET))).toBe(502);
    expect(JSON.stringify(daemon.lines)).not.toContain('hunter2');
  });

  test.each([
    ['a password', 'hunter2'],
    ['a hash of another kind', '$2y$05$abcdefghijklmnopqrstuu5s9z1U1Z5Wm'],
  ])('%s in the place of a hash is refused, and not shown', async (_, hash) => {
    const file = `${stage.folder()}/anyport.yaml`;
    writeFileSync(
      file,
      JSON.stringify({ server: { listen: ':9090' }, connect_proxy: { users: { alice: hash } } }),
    );
    const { status, stdout, stderr } = await anyport(['check', '-c', file]);
    expect(status).toBe(2);
    expect(stdout + stderr).toContain('anyport hash-password');
    expect(stdout + stderr).not.toContain(hash);
  });
});

describe('what is written of users', () => {
  test('no name unless it is wanted, and never a password', async () => {
    const server = await stage.server();
    for (const [log_users, named] of [
      [false, false],
      [true, true],
    ] as const) {
      const daemon = await stage.proxy({
        users: { alice: { hash: users.alice, max_connections: 9 } },
        log_users,
      });
      const tunnel = await openTunnel(daemon.port, server.target, [basic('alice', SECRET)]);
      tunnel.client.finish();
      const line = await daemon.sessionOf(tunnel.client);
      const written = JSON.stringify(daemon.lines) + (await (await daemon.get('/metrics')).text());
      expect(JSON.stringify(line).includes('alice')).toBe(named);
      expect(written.includes('connect_proxy/alice')).toBe(named);
      if (!named) expect(written).not.toContain('alice');
      expect(written).not.toContain(SECRET);
      expect(written).not.toContain(basic('alice', SECRET).split(' ').at(-1));
    }
  });
});
