/** While a name is looked up or an address is dialled: clients that leave, and times that end. */
import { describe, expect, test } from 'vitest';
import { freePort } from '../../support/ports.js';
import { answerTo, connectHead, openTunnel, statusOf } from '../../support/proxy-clients.js';
import { startBlackHole } from '../../support/servers.js';
import { dial } from '../../support/tcp.js';
import { describeAsRoot } from '../../support/tools.js';
import { eventually } from '../../support/wait.js';
import { useStage } from './stage.js';

const stage = useStage();

const names = { allow: ['*.test:*', '127.0.0.0/8:*'] } as const;

describeAsRoot('a name that nobody answers for', () => {
  test('a client that resets meanwhile is gone at once', async () => {
    const { dns, options } = await stage.names();
    dns.names.set('silent.test', 'silence');
    const daemon = await stage.proxy({ ...names, resolve_timeout: '60s' }, { options });
    const client = await dial(daemon.port);
    client.send(connectHead('silent.test:443'));
    await eventually('the question', () => dns.asked.length > 0);
    client.reset();
    expect(await daemon.sessionOf(client)).toMatchObject({ by: 'client', reason: 'client_gone' });
    expect(await daemon.metric('anyport_sessions_active')).toBe(0);
  });

  test('a client that has only finished is still answered', async () => {
    const { dns, options } = await stage.names();
    dns.names.set('silent.test', 'silence');
    const daemon = await stage.proxy({ ...names, resolve_timeout: '1s' }, { options });
    const client = await dial(daemon.port);
    client.send(connectHead('silent.test:443')).finish();
    expect((await answerTo(client)).status).toBe(504);
    expect(await client.end()).toBe('fin');
  });

  test('is answered 504 when its time is over, and holds nobody else up', async () => {
    const { dns, options } = await stage.names();
    const server = await stage.server();
    dns.names.set('silent.test', 'silence');
    dns.names.set('good.test', ['127.0.0.1']);
    const daemon = await stage.proxy({ ...names, resolve_timeout: '1s' }, { options });
    const waiting = Array.from({ length: 8 }, () => statusOf(daemon.port, 'silent.test:443'));
    await eventually('the question', () => dns.asked.includes('silent.test'));
    const tunnel = await openTunnel(daemon.port, `good.test:${server.port}`);
    tunnel.client.send('x');
    expect(`${await tunnel.bytes(1)}`).toBe('x');
    expect(await Promise.all(waiting)).toEqual(Array(8).fill(504));
  });

  test('an answer that comes late is used', async () => {
    const { dns, options } = await stage.names('options timeout:1 attempts:30');
    const server = await stage.server();
    dns.names.set('late.test', 'silence');
    const daemon = await stage.proxy({ ...names, resolve_timeout: '30s' }, { options });
    const client = await dial(daemon.port);
    client.send(`${connectHead(`late.test:${server.port}`)}early`);
    await eventually('the question', () => dns.asked.length > 0);
    dns.names.set('late.test', ['127.0.0.1']);
    const { status, length } = await answerTo(client);
    expect(status).toBe(200);
    expect((await client.bytes(length + 5)).toString('latin1', length)).toBe('early');
  });
});

describe('an address that does not answer', () => {
  test('a client that leaves meanwhile is gone at once', async () => {
    const hole = await startBlackHole();
    stage.later(() => hole.stop());
    const daemon = await stage.proxy({}, { server: { dial_timeout: '60s' } });
    const client = await dial(daemon.port);
    client.send(connectHead(hole.target));
    await daemon.metricBecomes('anyport_sessions_active', 1);
    client.reset();
    expect(await daemon.sessionOf(client)).toMatchObject({ by: 'client', reason: 'client_gone' });
  });

  test('is answered 504 when its time is over', async () => {
    const hole = await startBlackHole();
    stage.later(() => hole.stop());
    const daemon = await stage.proxy({}, { server: { dial_timeout: '500ms' } });
    const client = await dial(daemon.port);
    client.send(connectHead(hole.target));
    const { status, content } = await answerTo(client);
    expect(status).toBe(504);
    expect(content).toMatch(/^[^\n]+\n$/);
    client.socket.destroy();
    expect(await daemon.sessionOf(client)).toMatchObject({ during: 'connect', reason: 'connect_timeout' });
  });
});

test('a port that refuses is answered 502, in one line that says why, and the client reads it to its end', async () => {
  const port = await freePort();
  const daemon = await stage.proxy();
  const client = await dial(daemon.port);
  // Bytes that nobody will read must not turn the answer into a reset.
  client.send(`${connectHead(`127.0.0.1:${port}`)}${'early '.repeat(1000)}`);
  const { status, content } = await answerTo(client);
  expect(status).toBe(502);
  expect(content).toMatch(/^[^\n]+\n$/);
  expect(await client.end()).toBe('fin');
  client.finish();
  expect(await daemon.sessionOf(client)).toMatchObject({
    by: 'upstream',
    during: 'connect',
    reason: 'connect_failed',
    endpoint: `127.0.0.1:${port}`,
    bytes_up: 0,
    bytes_down: 0,
  });
});
