/** The source of a datagram may be forged: it costs the one whose address is used nothing. */
import { expect, test } from 'vitest';
import { redisPing } from '../../support/flights.js';
import { freePort } from '../../support/ports.js';
import { startEndpoint } from '../../support/steady.js';
import { dial } from '../../support/tcp.js';
import { client, dnsQuery, endpoint, later, start } from './stage.js';

const DATAGRAMS = 60;

test('datagrams earn their source no ban, and use up nothing of its rate for connections', async () => {
  const [port, resolver, redis] = [await freePort(), await endpoint(), await startEndpoint()];
  later(() => redis.stop());
  const daemon = await start({
    listeners: [{ name: 'any', address: `127.0.0.1:${port}`, transport: 'tcp+udp' }],
    security: {
      enable_rate_limit: true,
      rate_limit: { requests_per_second: 1, burst_size: 4, total_per_second: 1, total_burst: 8 },
      enable_ddos_guard: true,
      ddos_guard: { window: '60s', threshold: 20, failures: 5, ban: '1h' },
    },
    protocols: [
      { name: 'DNS', target: resolver.target },
      { name: 'Redis', target: redis.target },
    ],
  });
  for (let n = 0; n < DATAGRAMS; n += 1) {
    const forging = await client(port);
    await forging.send(n % 2 === 0 ? dnsQuery('www.example.com') : Buffer.from([0xff, n]));
  }
  await daemon.metricBecomes('anyport_accepted_total', DATAGRAMS);
  const refused = await daemon.metric('anyport_refused_total', { reason: 'rate_limited' });
  expect(refused).toBeGreaterThan(DATAGRAMS / 2);
  expect(await daemon.metric('anyport_bans_active')).toBe(0);
  const own = await dial(port);
  own.send(redisPing);
  expect(String(await own.bytes(redisPing.length))).toBe(String(redisPing));
  own.finish();
  expect(await own.end()).toBe('fin');
  await daemon.booksBalance();
});
