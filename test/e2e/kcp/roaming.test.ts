/** A client whose address changes while it is served, as behind a NAT that forgets or a telephone that changes networks. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startKcptunClient } from '../../support/kcptun.js';
import type { Running } from '../../support/process.js';
import { startEndpoint } from '../../support/steady.js';
import { describeWith } from '../../support/tools.js';
import { roundTrips, transfer } from '../../support/tunnel-load.js';
import { startWire, type Wire } from '../../support/wire.js';
import { kcptunProfile, keep, own, startFar, startTunnel } from './stage.js';

const MB = 1_000_000;
/** Slow enough that a transfer lasts for some seconds. */
const conditions = { loss: 200, delay_us: 5000, rate: 6 * MB, queue: MB };

describeWith('g++')('a client whose address changes', () => {
  let endpoint: Running & { readonly target: string };
  beforeAll(async () => {
    endpoint = await startEndpoint();
  });
  afterAll(() => endpoint.stop());

  /** Every so many milliseconds, until `work` is done; returns how often. */
  async function rebindDuring(wire: Wire, work: Promise<unknown>): Promise<number> {
    let [isDone, times] = [false, 0];
    const done = work.finally(() => {
      isDone = true;
    });
    while (!isDone) {
      await Promise.race([done, new Promise((resolve) => setTimeout(resolve, 700))]);
      if (isDone) break;
      await wire.rebind();
      times += 1;
    }
    await done;
    return times;
  }

  describe.each([1, 2])('workers: %i', (workers) => {
    const far = { config: { server: { workers } } };

    test.each(['down', 'up'] as const)('goes on %s, on the same link', async (direction) => {
      const { port, wire, far: there } = await startTunnel(own(), endpoint.target, { conditions, far });
      await transfer(port, 'down', 100_000);
      expect(await rebindDuring(wire, transfer(port, direction, 16 * MB))).toBeGreaterThan(1);
      expect(await there.daemon.metric('anyport_kcp_links')).toBe(1);
      for (const line of await there.daemon.ended(2)) expect(line).toMatchObject({ reason: 'done' });
    });

    test('goes on when it was silent before', async () => {
      const { port, wire } = await startTunnel(own({ heartbeat: '500ms' }), endpoint.target, {
        conditions: { delay_us: 1000 },
        far,
      });
      await roundTrips(port, 100);
      for (let n = 0; n < 3; n++) {
        await wire.rebind();
        await roundTrips(port, 200, 2);
      }
    });
  });

  describeWith('kcptun-client')('with kcptun', () => {
    test('its session moves along', async () => {
      const far = await startFar(kcptunProfile(), endpoint.target);
      const wire = keep(await startWire(far.port, { seed: 5, ...conditions }));
      const client = keep(await startKcptunClient(wire.target));
      await transfer(client.port, 'up', 100_000);
      expect(await rebindDuring(wire, transfer(client.port, 'up', 8 * MB))).toBeGreaterThan(0);
      expect(await far.daemon.metric('anyport_kcp_links')).toBe(1);
    });
  });
});
