/**
 * Access to metrics and health: by default on every interface, with a log line at start; with an address only there.
 */
import { afterEach, expect, test } from 'vitest';
import { type Daemon, startDaemon, type TestConfig } from '../support/daemon.js';
import { freePort } from '../support/ports.js';

let daemon: Daemon;
afterEach(() => daemon.stop());

async function start(monitoring: Record<string, unknown>): Promise<void> {
  const port = await freePort();
  const config: TestConfig = { monitoring: { metrics_port: port, health_check_port: port, ...monitoring } };
  daemon = await startDaemon(config);
  metricsPort = port;
}

let metricsPort: number;
const answers = (host: string) =>
  fetch(`http://${host}:${metricsPort}/metrics`, { headers: { connection: 'close' } }).then(
    ({ status }) => status === 200,
    () => false,
  );
const said = () => daemon.lines.find(({ msg }) => msg.startsWith('monitoring is served'));

test('without an address: on every interface', async () => {
  await start({});
  expect([await answers('127.0.0.1'), await answers('127.0.0.2')]).toEqual([true, true]);
  expect(said()).toMatchObject({
    msg: expect.stringContaining('on every interface; `monitoring.address` restricts it'),
    metrics_port: metricsPort,
  });
});

test('with an address: there and nowhere else', async () => {
  await start({ address: '127.0.0.2' });
  expect([await answers('127.0.0.2'), await answers('127.0.0.1')]).toEqual([true, false]);
  expect(said()).toBeUndefined();
});
