/** Who does not know the secret gets nothing: no link, no answer longer than its cause, one line and a count. */
import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { datagramClient } from '../../support/datagrams.js';
import { startKcptunClient } from '../../support/kcptun.js';
import type { Running } from '../../support/process.js';
import { startEndpoint } from '../../support/steady.js';
import { dial } from '../../support/tcp.js';
import { describeWith } from '../../support/tools.js';
import { transfer } from '../../support/tunnel-load.js';
import { eventually } from '../../support/wait.js';
import { startWire } from '../../support/wire.js';
import { kcptunProfile, keep, own, startFar, startNear } from './stage.js';

describeWith('g++')('a client with the wrong secret', () => {
  let endpoint: Running & { readonly target: string };
  beforeAll(async () => {
    endpoint = await startEndpoint();
  });
  afterAll(() => endpoint.stop());

  test('is refused in silence: counted, logged once, and the right one is served beside it', async () => {
    const far = await startFar(own(), endpoint.target);
    const wire = keep(await startWire(far.port));
    const wrong = await startNear(own({ secret: 'what another pair has agreed on' }), wire.target, {
      upstream: { dial_timeout: '2s' },
    });
    for (let n = 0; n < 3; n++) {
      const client = await dial(wrong.port);
      client.send('hello');
      await client.end();
    }
    await eventually(
      'it to be counted',
      async () => (await far.daemon.metric('anyport_kcp_dropped_total', { reason: 'refused' })) > 0,
    );
    const { up_bytes, down_bytes, up } = await wire.carried();
    expect(up).toBeGreaterThan(2);
    expect(down_bytes).toBeLessThan(up_bytes / 4); // cookies alone
    expect(await far.daemon.metric('anyport_kcp_links')).toBe(0);
    const told = () => far.daemon.lines.filter(({ msg, level }) => /kcp/i.test(msg) && level === 'warn');
    await eventually('the line', () => told().length > 0);
    expect(told()).toHaveLength(1);
    expect(JSON.stringify(far.daemon.lines)).not.toContain(own().secret);
    const right = await startNear(own(), `127.0.0.1:${far.port}`);
    await transfer(right.port, 'down', 100_000);
    expect(await far.daemon.ended(1)).toHaveLength(1);
  });

  test('is another cipher, another profile, or nobody: random datagrams make no link', async () => {
    const far = await startFar(own(), endpoint.target);
    const stranger = await datagramClient(far.port);
    for (const first of [0xa8, 0xa9, 0xaa, 0xab, 0x00, 0x51])
      for (const size of [1, 9, 36, 511, 512, 513, 1350])
        await stranger.send(Buffer.concat([Buffer.from([first]), randomBytes(size - 1)]));
    await eventually(
      'them to be counted',
      async () => (await far.daemon.metric('anyport_kcp_dropped_total')) >= 30,
    );
    expect(await far.daemon.metric('anyport_kcp_links')).toBe(0);
    const longest = Math.max(0, ...stranger.received.map(({ bytes }) => bytes.length));
    expect(longest).toBeLessThan(512);
    const right = await startNear(own(), `127.0.0.1:${far.port}`);
    await transfer(right.port, 'down', 100_000);
    await stranger.close();
  });

  describeWith('kcptun-client')('of kcptun', () => {
    test('hears nothing at all', async () => {
      const far = await startFar(kcptunProfile(), endpoint.target);
      const wire = keep(await startWire(far.port));
      const client = keep(await startKcptunClient(wire.target, { key: 'another' }));
      const asked = await dial(client.port);
      asked.send('hello');
      await eventually(
        'it to be counted',
        async () => (await far.daemon.metric('anyport_kcp_dropped_total')) > 2,
      );
      const { up, down } = await wire.carried();
      expect({ sent: up > 2, down }).toEqual({ sent: true, down: 0 });
      expect(await far.daemon.metric('anyport_kcp_links')).toBe(0);
      asked.reset();
    });
  });
});
