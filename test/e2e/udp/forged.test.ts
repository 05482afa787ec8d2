/** The source of a datagram may be forged: it costs the one whose address is used nothing. */
import { expect, test } from 'vitest';
import { flights } from '../../cases/flights.js';
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

const [FIRST = new Uint8Array(), SECOND = new Uint8Array()] =
  flights.find(({ id }) => id === 'quic-udp-201')?.segments ?? [];
const PLACES = 8;

/** Hellos are held until the name is there. For UDP alone no source has a cap of its own. */
async function identifying(transport: 'udp' | 'tcp+udp') {
  const [port, named, redis] = [await freePort(), await endpoint(), await startEndpoint()];
  later(() => redis.stop());
  const daemon = await start({
    server: { max_identifying: PLACES, workers: 1, identify_timeout: '10m' },
    security: { enable_ddos_guard: transport !== 'udp', ddos_guard: { identifying_per_ip: PLACES / 2 } },
    listeners: [{ name: 'any', address: `127.0.0.1:${port}`, transport }],
    protocols: [{ name: 'QUIC' }, ...(transport === 'udp' ? [] : [{ name: 'Redis', target: redis.target }])],
    routes: [{ when: { protocol: 'quic', sni: 'www.site.example' }, to: 'named' }],
    upstreams: { named: { endpoints: [named.target] } },
  });
  return { daemon, port, named };
}

/** First halves of hellos, each of a flow of its own. */
async function forge(port: number, sources: readonly string[]): Promise<void> {
  for (const from of sources) await (await client(port, { from })).send(FIRST);
}

const times = (count: number, source: (n: number) => string): string[] =>
  Array.from({ length: count }, (_, n) => source(n));

test('halves of hellos take no place from a connection, whosever address they have', async () => {
  const { daemon, port } = await identifying('tcp+udp');
  const own = await dial(port);
  own.send(redisPing.slice(0, 3));
  await daemon.metricBecomes('anyport_identifying', 1);
  await forge(port, [
    ...times(2 * PLACES, () => '127.0.0.1'),
    ...times(2 * PLACES, (n) => `127.0.9.${n + 1}`),
  ]);
  await daemon.metricBecomes('anyport_identifying', 1 + PLACES);
  own.send(redisPing.slice(3));
  expect(String(await own.bytes(redisPing.length))).toBe(redisPing);
  own.finish();
  expect(await own.end()).toBe('fin');
  await daemon.booksBalance();
});

test('a client whose hello has two datagrams is served while another source floods, and fewer forged ones than places come', async () => {
  const { daemon, port, named } = await identifying('udp');
  const own = await client(port, { from: '127.0.0.5' });
  await own.send(FIRST);
  await daemon.metricBecomes('anyport_identifying', 1);
  await forge(port, [
    ...times(3 * PLACES, () => '127.0.9.1'),
    ...times(PLACES / 2 - 1, (n) => `127.0.8.${n + 1}`),
  ]);
  await daemon.metricBecomes('anyport_accepted_total', 1 + 3 * PLACES + PLACES / 2 - 1);
  await own.send(SECOND);
  expect((await own.datagram(0)).bytes).toEqual(Buffer.from(FIRST));
  expect(named.senders).toHaveLength(1);
  await daemon.booksBalance();
});
