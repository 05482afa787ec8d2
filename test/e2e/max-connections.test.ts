/** `upstreams.NAME.max_connections`, over all workers. */
import { afterEach, describe, expect, test } from 'vitest';
import { type Daemon, startDaemon } from '../support/daemon.js';
import { dial, echo, listenTcp, type Peer, type Upstream } from '../support/tcp.js';
import { eventually } from '../support/wait.js';

const opening = 'GET / HTTP/1.1\r\nHost: a\r\n\r\n';

let daemon: Daemon;
let upstreams: Upstream[];

afterEach(async () => {
  await daemon.stop();
  for (const upstream of upstreams) await upstream.close();
});

async function startWith(endpoints: number, options: object): Promise<void> {
  upstreams = await Promise.all(Array.from({ length: endpoints }, () => listenTcp(echo)));
  daemon = await startDaemon({
    server: { workers: 2 },
    protocols: [{ name: 'HTTP', target: 'web' }],
    upstreams: { web: { endpoints: upstreams.map(({ target }) => target), ...options } },
  });
}

/** A client that has sent its request; null: it was reset instead of served. */
async function served(): Promise<Peer | null> {
  const client = await dial(daemon.port);
  client.send(opening);
  await eventually('an answer, or the end', () => client.length > 0 || client.ending !== undefined);
  return client.length > 0 ? client : null;
}

describe('max_connections', () => {
  test('as many as there are places are served, one more is not, and a place that is free is used again', async () => {
    await startWith(1, { max_connections: 3 });
    const clients = [await served(), await served(), await served()];
    expect(clients).not.toContain(null);
    expect(await served()).toBeNull();
    const turnedAway = () => daemon.lines.find(({ reason }) => reason === 'over_limit');
    await eventually('its line', () => turnedAway() !== undefined);
    expect(turnedAway()).toMatchObject({
      by: 'proxy',
      during: 'pick',
      error: 'max_connections of its upstream',
    });
    clients[0]?.finish();
    await clients[0]?.end();
    await eventually('another one to be served', async () => (await served()) !== null);
    expect(await served()).toBeNull();
  });

  test('a full endpoint is passed over', async () => {
    await startWith(2, { max_connections: 2, balance: 'source_hash' });
    const clients = [await served(), await served(), await served(), await served()];
    expect(clients).not.toContain(null);
    expect(upstreams.map(({ peers }) => peers.length)).toEqual([2, 2]);
    expect(await served()).toBeNull();
  });

  test('many at once: never more than there are places', async () => {
    await startWith(1, { max_connections: 5 });
    const [server] = upstreams as [Upstream];
    const clients = await Promise.all(Array.from({ length: 60 }, served));
    expect(clients.filter((client) => client !== null).length).toBeGreaterThan(0);
    expect(server.peers.length).toBeLessThanOrEqual(5);
    expect(clients.filter((client) => client !== null).length).toBe(server.peers.length);
  });
});
