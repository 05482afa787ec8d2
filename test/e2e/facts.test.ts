/** What clients say of themselves, as the operator and the routes see it: bounded, and without a say in who they are. */
import { afterEach, describe, expect, test } from 'vitest';
import { alpn, hello, records, serverName } from '../cases/tls.js';
import { type Daemon, startDaemon, type TestConfig } from '../support/daemon.js';
import { dial, listenTcp, type Peer, type Upstream } from '../support/tcp.js';

const cleanups: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

async function start(config: TestConfig): Promise<Daemon> {
  const daemon = await startDaemon(config);
  cleanups.push(() => daemon.stop());
  return daemon;
}

async function serve(name: string): Promise<Upstream> {
  const upstream = await listenTcp((peer) => void peer.send(name).finish());
  cleanups.push(() => upstream.close());
  return upstream;
}

async function ask(daemon: Daemon, opening: Uint8Array | string): Promise<Peer> {
  const client = await dial(daemon.port);
  client.send(Buffer.from(opening)).finish();
  await client.end();
  return client;
}

describe('a hello with 20,000 application protocols', () => {
  const opening = records(hello([serverName('a.example'), alpn(...Array<string>(20_000).fill('x1'))]));

  test('is one line of the log, and a short one', async () => {
    const { target } = await serve('web');
    const daemon = await start({
      routes: [{ when: { protocol: 'tls', sni: 'a.example' }, to: 'web' }],
      upstreams: { web: { endpoints: [target] } },
    });
    const client = await ask(daemon, opening);
    expect(client.received.toString()).toBe('web');
    const line = await daemon.sessionOf(client);
    expect(line.facts).toMatchObject({ sni: 'a.example' });
    expect(JSON.stringify(line).length).toBeLessThan(2000);
  });

  test('is refused by a rule on them, for it can not be said whether it holds', async () => {
    const { target } = await serve('web');
    const daemon = await start({
      routes: [{ when: { protocol: 'tls', alpn: 'h2' }, to: 'reset' }],
      protocols: [{ name: 'TLS', target: 'web' }],
      upstreams: { web: { endpoints: [target] } },
    });
    const client = await ask(daemon, opening);
    expect(client.received.toString()).toBe('');
    expect(await daemon.sessionOf(client)).toMatchObject({
      reason: 'rejected',
      during: 'route',
      upstream: null,
    });
  });
});

describe('where a session goes does not depend on whether anybody reads its facts', () => {
  test.each([true, false])('access log: %s', async (access_log) => {
    const { target } = await serve('web');
    // Its opening has no version that AMQP would have.
    const daemon = await start({
      protocols: [{ name: 'AMQP', start_bytes: [Buffer.from('AMQP').toString('hex')], target }],
      logging: { access_log },
    });
    const client = await ask(daemon, 'AMQP\x09\x09\x09\x09');
    expect(client.received.toString()).toBe('web');
  });
});
