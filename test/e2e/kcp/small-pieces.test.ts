/** kcptun's client sends an upload in pieces of 4 KiB: our listener lets them gather, and nobody else waits for that. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type KcptunSettings, startKcptunClient } from '../../support/kcptun.js';
import { freePort } from '../../support/ports.js';
import type { Running } from '../../support/process.js';
import { startEndpoint } from '../../support/steady.js';
import { describeWith } from '../../support/tools.js';
import { roundTrips, transfer } from '../../support/tunnel-load.js';
import { startWire } from '../../support/wire.js';
import { farConfig, kcptunProfile, keep, startFar } from './stage.js';

const MB = 1_000_000;
/** Many times what a socket gathers after. */
const LONG = 24 * MB;
const settings: KcptunSettings = { crypt: 'none', fec: [0, 0], windows: 2048 };
const profile = kcptunProfile(settings);

describeWith('kcptun-client', 'g++')('uploads in small pieces', () => {
  let endpoint: Running & { readonly target: string };
  beforeAll(async () => {
    endpoint = await startEndpoint();
  });
  afterAll(() => endpoint.stop());

  async function start() {
    const far = await startFar(profile, endpoint.target);
    const wire = keep(await startWire(far.port));
    const client = keep(await startKcptunClient(wire.target, settings));
    return { far, port: client.port };
  }

  const answers = async (port: number) => expect((await roundTrips(port, 200)).length).toBeGreaterThan(0);

  test('what comes behind them, again and again', async () => {
    const { port } = await start();
    for (let round = 0; round < 3; round += 1) {
      await transfer(port, 'up', LONG);
      await answers(port);
      await transfer(port, 'down', MB);
    }
  });

  test('beside round trips, a download and another link', async () => {
    const { far, port } = await start();
    const other = keep(await startKcptunClient(`127.0.0.1:${far.port}`, settings));
    await Promise.all([
      transfer(port, 'up', LONG, 2),
      transfer(port, 'down', LONG),
      answers(port),
      transfer(other.port, 'up', LONG),
      answers(other.port),
    ]);
  });

  test('of a listener that goes meanwhile', async () => {
    const { far, port } = await start();
    await transfer(port, 'up', LONG);
    const under_way = transfer(port, 'up', 4 * LONG);
    const elsewhere = farConfig(profile, await freePort(), endpoint.target);
    expect(await far.daemon.reload(elsewhere)).toMatchObject({ msg: 'reloaded' });
    await under_way;
  });
});
