/** Large transfers in both directions: every byte once and in order. */
import { createHash, randomBytes } from 'node:crypto';
import { createReadStream, writeFileSync } from 'node:fs';
import { get } from 'node:http';
import { pipeline } from 'node:stream/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Daemon, startDaemon } from '../support/daemon.js';
import { runProgram } from '../support/process.js';
import {
  makeSparseFile,
  type RealServer,
  sshOptions,
  startHttp,
  startRedis,
  startSshd,
} from '../support/servers.js';
import { dial } from '../support/tcp.js';
import { describeWith } from '../support/tools.js';

const MIB = 1024 * 1024;

async function hashOf(path: string): Promise<string> {
  const hash = createHash('sha256');
  await pipeline(createReadStream(path), hash);
  return hash.digest('hex');
}

/** A Redis command on the wire. */
const command = (...parts: (string | Buffer)[]): Buffer =>
  Buffer.concat([
    Buffer.from(`*${parts.length}\r\n`),
    ...parts.flatMap((part) => [Buffer.from(`$${part.length}\r\n`), Buffer.from(part), Buffer.from('\r\n')]),
  ]);

describeWith(
  'redis-server',
  'sshd',
  'ssh',
  'nginx',
)('transfers', () => {
  let redis: RealServer;
  let ssh: RealServer;
  let http: RealServer;
  let daemon: Daemon;

  beforeAll(async () => {
    [redis, ssh, http] = await Promise.all([startRedis(), startSshd(), startHttp()]);
    daemon = await startDaemon({
      protocols: [
        { name: 'Redis', target: redis.target },
        { name: 'SSH', target: ssh.target },
        { name: 'HTTP', target: http.target },
      ],
    });
  });

  afterAll(async () => {
    await daemon.stop();
    await Promise.all([redis.stop(), ssh.stop(), http.stop()]);
  });

  test('SET and GET of 100 MiB, compared byte for byte', async () => {
    const value = randomBytes(100 * MIB);
    const client = await dial(daemon.port);
    client.send(command('SET', 'big', value));
    const stored = '+OK\r\n';
    await client.bytes(stored.length);
    client.send(command('GET', 'big'));
    const head = `${stored}$${value.length}\r\n`;
    const received = await client.bytes(head.length + value.length + 2);
    expect(received.subarray(0, head.length).toString()).toBe(head);
    expect(received.subarray(head.length, -2).equals(value)).toBe(true);
    client.finish();
    expect(await client.end()).toBe('fin');
    const line = (await daemon.ended(1)).at(-1);
    expect(line).toMatchObject({
      reason: 'done',
      bytes_up: command('SET', 'big', value).length + command('GET', 'big').length,
      bytes_down: received.length,
    });
  });

  test('scp of 200 MiB there and back, compared by hash', async () => {
    const sent = `${ssh.folder}/sent`;
    writeFileSync(sent, randomBytes(200 * MIB));
    const scp = (from: string, to: string) =>
      runProgram('scp', ['-q', '-P', `${daemon.port}`, ...sshOptions(ssh), from, to]);
    expect(await scp(sent, `127.0.0.1:${ssh.folder}/there`)).toMatchObject({ status: 0 });
    expect(await scp(`127.0.0.1:${ssh.folder}/there`, `${ssh.folder}/back`)).toMatchObject({ status: 0 });
    const hash = await hashOf(sent);
    expect(await hashOf(`${ssh.folder}/there`)).toBe(hash);
    expect(await hashOf(`${ssh.folder}/back`)).toBe(hash);
  });

  test('a 2 GiB download over HTTP: its length, and every byte', async () => {
    const size = 2048 * MIB;
    makeSparseFile(`${http.folder}/www/big`, size);
    const zeros = Buffer.alloc(MIB);
    let received = 0;
    let different = 0;
    await new Promise<void>((resolve, reject) => {
      get({ port: daemon.port, host: '127.0.0.1', path: '/big', agent: false }, (response) => {
        response.on('data', (chunk: Buffer) => {
          received += chunk.length;
          if (!chunk.equals(zeros.subarray(0, chunk.length))) different += 1;
        });
        response.on('end', resolve).on('error', reject);
      }).on('error', reject);
    });
    expect({ received, different }).toEqual({ received: size, different: 0 });
  });
});
