/** kcptun from Debian on either end, in every setting that it knows and we speak. The wire loses a little. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type KcptunSettings, startKcptunClient, startKcptunServer } from '../../support/kcptun.js';
import type { Running } from '../../support/process.js';
import { startEndpoint } from '../../support/steady.js';
import { describeWith } from '../../support/tools.js';
import { roundTrips, transfer } from '../../support/tunnel-load.js';
import { startWire, type Wire } from '../../support/wire.js';
import { kcptunProfile, keep, startFar, startNear, startTunnel } from './stage.js';

/** Each setting beside kcptun's defaults (aes, 10:3, smux 1, fast), and some together. */
const settings: readonly KcptunSettings[] = [
  {},
  { fec: [0, 0] },
  ...['aes-128', 'aes-192', 'salsa20', 'none'].map((crypt) => ({ crypt })),
  ...(['normal', 'fast2', 'fast3'] as const).map((mode) => ({ mode })),
  { smux: 2 },
  { compression: true },
  { smux: 2, compression: true, fec: [0, 0], crypt: 'salsa20' },
  { smux: 2, compression: true, fec: [3, 1], crypt: 'none', mode: 'fast3' },
  { windows: 2048, mode: 'fast2' },
  { key: 'quite another key' },
];

const BYTES = 1_000_000;
const wireBetween = async (port: number): Promise<Wire> =>
  keep(await startWire(port, { loss: 100, reorder: 100, duplicate: 100, delay_us: 2000, seed: 21 }));

const named = settings.map((each) => ({ name: JSON.stringify(each), each }));
/** Debian's is older than these two ciphers. */
const newer = ['null', 'aes-128-gcm'].flatMap((crypt) => [
  { name: crypt, each: { crypt } },
  { name: `${crypt}, no parity, smux 2`, each: { crypt, fec: [0, 0], smux: 2 } as const },
]);

describeWith(
  'kcptun-client',
  'kcptun-server',
  'g++',
)('kcptun', () => {
  let endpoint: Running & { readonly target: string };
  beforeAll(async () => {
    endpoint = await startEndpoint();
  });
  afterAll(() => endpoint.stop());

  /** Both ways and to and fro; two connections, so that the second is a stream of a session that is up. */
  async function carries(port: number): Promise<void> {
    await transfer(port, 'down', BYTES, 2);
    await transfer(port, 'up', BYTES, 2);
    await roundTrips(port, 200);
  }

  test.each(named)("kcptun's client with our listener: $name", async ({ each }) => {
    const far = await startFar(kcptunProfile(each), endpoint.target);
    const wire = await wireBetween(far.port);
    const client = keep(await startKcptunClient(wire.target, each));
    await carries(client.port);
    const lines = await far.daemon.ended(5);
    for (const line of lines) expect(line).toMatchObject({ reason: 'done', upstream: 'behind' });
  });

  test.each(named)("our `over: kcp` with kcptun's server: $name", async ({ each }) => {
    const server = keep(await startKcptunServer(endpoint.target, each));
    const wire = await wireBetween(server.port);
    const near = await startNear(kcptunProfile(each), wire.target);
    await carries(near.port);
  });

  test.each([...newer, ...named.slice(0, 2)])('our own ends speak it too: $name', async ({ each }) => {
    const { port } = await startTunnel(kcptunProfile(each), endpoint.target);
    await carries(port);
  });

  describe('what does not fit', () => {
    const wrong: readonly KcptunSettings[] = [
      { key: 'another' },
      { crypt: 'salsa20' },
      { smux: 2 },
      { compression: true },
    ];
    test.each(wrong.map((each) => ({ name: JSON.stringify(each), each })))(
      'a client with $name harms nobody',
      async ({ each }) => {
        const far = await startFar(kcptunProfile(), endpoint.target);
        const misled = keep(await startKcptunClient(`127.0.0.1:${far.port}`, each));
        const right = keep(await startKcptunClient(`127.0.0.1:${far.port}`));
        const asked = roundTrips(misled.port, 100).catch((error: Error) => error);
        await carries(right.port);
        await misled.stop();
        expect(await asked).toBeInstanceOf(Error);
      },
    );
  });
});
