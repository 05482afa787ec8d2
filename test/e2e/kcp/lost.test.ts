/** The far end, or a worker of it, has started again and does not know a link any more: the near end hears so at once. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { keyText, publicKeyOf } from '../../../src/kcp/keys.js';
import { randomSecret } from '../../../src/kcp/x25519.js';
import { type Daemon, startDaemon } from '../../support/daemon.js';
import { dial, echo, listenTcp, type Peer, type Upstream } from '../../support/tcp.js';
import { describeWith } from '../../support/tools.js';
import { eventually } from '../../support/wait.js';
import { type EndOptions, farConfig, keep, own, startFar, startNear, startTunnel } from './stage.js';

/** A link that was given up by silence would outlast the test. */
const patient = { dead_after: '10m' };

const PING = '*1\r\n$4\r\nPING\r\n';

async function exchange(peer: Peer): Promise<void> {
  peer.send(PING);
  expect(`${await peer.bytes(PING.length)}`).toBe(PING);
}

async function served(port: number): Promise<Peer> {
  const peer = await dial(port);
  await exchange(peer);
  return peer;
}

/** The session is reset with what it says next, its link is lost, and the next session has another one. */
async function isReset(held: Peer, near: { readonly daemon: Daemon; readonly port: number }): Promise<void> {
  held.send(PING);
  expect(await held.end()).toBe('reset');
  await near.daemon.metricBecomes('anyport_kcp_resets_total', 1);
  const down = await eventually('the line about the link', () =>
    near.daemon.lines.find(({ msg }) => msg === 'kcp link down'),
  );
  expect(down).toMatchObject({ reason: 'lost', side: 'client', level: 'warn' });
  expect((await near.daemon.ended(1))[0]).toMatchObject({ reason: 'reset' });
  const next = await served(near.port);
  next.finish();
  expect(await next.end()).toBe('fin');
}

describeWith('g++')('a link that the far end does not know any more', () => {
  let echoing: Upstream;
  let folder: string;
  beforeAll(async () => {
    echoing = await listenTcp(echo);
    folder = await mkdtemp(join(tmpdir(), 'anyport-lost-'));
  });
  afterAll(async () => {
    await echoing.close();
    await rm(folder, { recursive: true });
  });

  async function killed(far: object, near: object, options: EndOptions = {}) {
    const there = await startFar(far, echoing.target, options);
    const here = await startNear(near, `127.0.0.1:${there.port}`);
    const held = await served(here.port);
    there.daemon.signal('SIGKILL');
    await there.daemon.exit();
    const again = keep(await startDaemon(farConfig(far, there.port, echoing.target, options)));
    await isReset(held, here);
    expect(await again.metric('anyport_kcp_resets_total')).toBeGreaterThan(0);
  }

  describe('after SIGKILL and a start at the same port: the session is reset, the next one served', () => {
    test('with a secret', () => killed(own(patient), own(patient)));

    test('with a key pair', async () => {
      const secret = randomSecret();
      const file = join(folder, 'server.key');
      await writeFile(file, `${keyText(secret)}\n`, { mode: 0o600 });
      await killed(
        own({ ...patient, private_key_file: file }),
        own({ ...patient, server_key: keyText(publicKeyOf(secret)) }),
      );
    });

    test('beside datagrams on one port', () =>
      killed(own(patient), own(patient), {
        listener: { transport: 'tcp+udp' },
        config: { routes: [], protocols: [{ name: 'Redis', target: echoing.target }] },
      }));
  });

  test.each([
    { why: 'with a secret', profile: own(patient) },
    { why: 'without one: workers share a key', profile: { insecure: true, ...patient } },
  ])('after the end of its worker, whose farewell is lost, $why', async ({ profile }) => {
    const { port, near, far, wire } = await startTunnel(profile, echoing.target, {
      far: {
        config: {
          server: { workers: 2 },
          routes: [],
          protocols: [
            { name: 'Redis', target: echoing.target },
            { name: 'Exit', handler: resolve('test/e2e/handlers/exit.mjs'), start_bytes: ['ee'] },
          ],
        },
      },
    });
    const held = await served(port);
    const killer = await dial(port);
    await wire.change({ down_loss: 10_000 });
    killer.send(Buffer.of(0xee));
    await far.daemon.metricBecomes('anyport_worker_restarts_total', 1);
    await wire.change({ down_loss: 0 });
    await isReset(held, near);
    expect(await killer.end()).toBe('reset');
    await far.daemon.booksBalance();
  });
});
