/** Two daemons and a wire that loses one datagram in twenty each way: what users carry over it, every byte compared. */
import { createHash, randomBytes } from 'node:crypto';
import { createReadStream, writeFileSync } from 'node:fs';
import { pipeline } from 'node:stream/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { whole } from '../../soak/soak.js';
import { type Running, runProgram } from '../../support/process.js';
import { type RealServer, sshOptions, startHttp, startSshd } from '../../support/servers.js';
import { startEndpoint } from '../../support/steady.js';
import { describeWith } from '../../support/tools.js';
import { roundTrips, transfer } from '../../support/tunnel-load.js';
import { lossyWire } from '../../support/wire.js';
import { own, startTunnel } from './stage.js';

const MB = 1_000_000;

async function hashOf(path: string): Promise<string> {
  const hash = createHash('sha256');
  await pipeline(createReadStream(path), hash);
  return hash.digest('hex');
}

describeWith('g++')('over a wire with 5 % loss', () => {
  let endpoint: Running & { readonly target: string };
  beforeAll(async () => {
    endpoint = await startEndpoint();
  });
  afterAll(() => endpoint.stop());

  test(`a download of ${whole ? 1000 : 48} MB`, { timeout: 900_000 }, async () => {
    const { port, wire } = await startTunnel(own(), endpoint.target, { conditions: lossyWire });
    await transfer(port, 'down', (whole ? 1000 : 48) * MB);
    const { down, down_lost, overrun } = await wire.carried();
    expect(down_lost / down).toBeGreaterThan(0.03);
    expect(overrun).toBe(0);
  });

  test.each([
    { name: 'no parity', keys: { fec: { data: 0, parity: 0 } } },
    { name: 'fast3', keys: { mode: 'fast3' } },
    { name: 'aes-128-gcm', keys: { cipher: 'aes-128-gcm' } },
    { name: 'xsalsa20-poly1305', keys: { cipher: 'xsalsa20-poly1305' } },
    { name: 'small datagrams', keys: { mtu: 600 } },
  ])('both ways with $name', async ({ keys }) => {
    const { port } = await startTunnel(own(keys), endpoint.target, { conditions: lossyWire });
    await transfer(port, 'down', 4 * MB, 2);
    await transfer(port, 'up', 4 * MB, 2);
    await roundTrips(port, 500, 3);
  });

  test('and reordering, repetition and jitter besides', async () => {
    const conditions = { ...lossyWire, reorder: 500, duplicate: 200, jitter_us: 5000 };
    const { port } = await startTunnel(own(), endpoint.target, { conditions });
    await transfer(port, 'down', 8 * MB);
    await transfer(port, 'up', 8 * MB);
  });

  test('many at once share the link, and none starves', async () => {
    const { port } = await startTunnel(own(), endpoint.target, { conditions: lossyWire });
    const bulk = transfer(port, 'down', 24 * MB);
    const small = Promise.all(Array.from({ length: 20 }, () => transfer(port, 'up', 100_000, 3)));
    const order: string[] = [];
    await Promise.all([
      small,
      bulk.then(() => order.push('bulk')),
      roundTrips(port, 1, 6).then(() => order.push('round trips')),
    ]);
    expect(order).toEqual(['round trips', 'bulk']);
  });

  test('a cut of five seconds is survived', async () => {
    const { port, wire } = await startTunnel(own(), endpoint.target, { conditions: { delay_us: 5000 } });
    await transfer(port, 'down', MB);
    const under_way = transfer(port, 'down', 40 * MB);
    const asked = roundTrips(port, 8000);
    await wire.change({ cut: 1 });
    await new Promise((resolve) => setTimeout(resolve, 5000));
    await wire.change({ cut: 0 });
    await Promise.all([under_way, asked]);
  });
});

describeWith(
  'sshd',
  'ssh',
  'ssh-keygen',
  'scp',
  'nginx',
  'curl',
  'g++',
)('programs over a wire with 5 % loss', () => {
  let [ssh, http]: [RealServer | undefined, RealServer | undefined] = [undefined, undefined];
  beforeAll(async () => {
    [ssh, http] = await Promise.all([startSshd(), startHttp()]);
  });
  afterAll(() => Promise.all([ssh?.stop(), http?.stop()]));

  const server = (one: RealServer | undefined): RealServer => {
    if (one === undefined) throw new Error('it was not started');
    return one;
  };

  test('ssh runs a command, scp carries a file there and back', async () => {
    const sshd = server(ssh);
    const { port } = await startTunnel(own(), sshd.target, { conditions: lossyWire });
    const options = [...sshOptions(sshd), '127.0.0.1', 'echo over $((6*7))'];
    const said = await runProgram('ssh', ['-p', `${port}`, ...options]);
    expect(said).toMatchObject({ status: 0, stdout: 'over 42\n' });
    const sent = `${sshd.folder}/sent`;
    writeFileSync(sent, randomBytes(8 * MB));
    const scp = (from: string, to: string) =>
      runProgram('scp', ['-q', '-P', `${port}`, ...sshOptions(sshd), from, to]);
    expect(await scp(sent, `127.0.0.1:${sshd.folder}/there`)).toMatchObject({ status: 0 });
    expect(await scp(`127.0.0.1:${sshd.folder}/there`, `${sshd.folder}/back`)).toMatchObject({ status: 0 });
    expect(await hashOf(`${sshd.folder}/back`)).toBe(await hashOf(sent));
  });

  describe('the far end tells what comes over the link apart', () => {
    test('HTTP and SSH behind one KCP listener', async () => {
      const [sshd, nginx] = [server(ssh), server(http)];
      const config = {
        routes: [],
        protocols: [
          { name: 'SSH', target: sshd.target },
          { name: 'HTTP', target: nginx.target },
        ],
        upstreams: {},
      };
      const { port, far } = await startTunnel(own(), nginx.target, {
        conditions: lossyWire,
        far: { config },
      });
      const page = await runProgram('curl', ['-sS', `http://127.0.0.1:${port}/`]);
      expect(page).toMatchObject({ status: 0, stdout: 'served by nginx\n' });
      const options = [...sshOptions(sshd), '127.0.0.1', 'echo and this'];
      const said = await runProgram('ssh', ['-p', `${port}`, ...options]);
      expect(said).toMatchObject({ status: 0, stdout: 'and this\n' });
      const lines = await far.daemon.ended(2);
      expect(new Set(lines.map(({ protocol }) => protocol))).toEqual(new Set(['http', 'ssh']));
    });
  });
});
