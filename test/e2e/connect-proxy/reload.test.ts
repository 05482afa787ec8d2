/** Changes of the configuration: the next request finds them, and tunnels that are open go on. */
import { expect, test } from 'vitest';
import { openTunnel, statusOf } from '../../support/proxy-clients.js';
import { dial } from '../../support/tcp.js';
import { onThisMachine, useStage } from './stage.js';

const stage = useStage();

const config = (section: object) => ({ connect_proxy: { ...onThisMachine, ...section } });

test('what is allowed changes, and a tunnel to where nobody may go any more goes on', async () => {
  const server = await stage.server();
  const daemon = await stage.proxy();
  const tunnel = await openTunnel(daemon.port, server.target);
  expect(await daemon.reload(config({ deny: ['127.0.0.1/32:*'] }))).toMatchObject({ msg: 'reloaded' });
  expect(await statusOf(daemon.port, server.target)).toBe(403);
  tunnel.client.send('still here');
  expect(`${await tunnel.bytes(10)}`).toBe('still here');
  expect(await daemon.reload(config({}))).toMatchObject({ msg: 'reloaded' });
  expect(await statusOf(daemon.port, server.target)).toBe(200);
  tunnel.client.finish();
  expect(await daemon.sessionOf(tunnel.client)).toMatchObject({
    reason: 'done',
    bytes_up: 10,
    bytes_down: 10,
  });
});

test('the proxy comes and goes, and what else the port serves stays', async () => {
  const redis = await stage.server((peer) => void peer.send('+PONG\r\n'));
  const server = await stage.server();
  const protocols = [{ name: 'Redis', target: redis.target }];
  const daemon = await stage.proxy({}, { protocols });
  const tunnel = await openTunnel(daemon.port, server.target);
  const ping = async () => {
    const client = await dial(daemon.port);
    client.send('*1\r\n$4\r\nPING\r\n');
    await client.bytes(7);
    client.socket.destroy();
  };
  await ping();
  expect(await daemon.reload({ protocols })).toMatchObject({ msg: 'reloaded' });
  await ping();
  const client = await dial(daemon.port);
  client.send(`CONNECT ${server.target} HTTP/1.1\r\nHost: a\r\n\r\n`);
  await client.end();
  expect(client.received.toString('latin1')).not.toContain(' 200 ');
  tunnel.client.send('x');
  expect(`${await tunnel.bytes(1)}`).toBe('x');
  expect(await daemon.reload({ ...config({}), protocols })).toMatchObject({ msg: 'reloaded' });
  expect(await statusOf(daemon.port, server.target)).toBe(200);
  expect(server.peers).toHaveLength(2);
});

test('a configuration that would open it to everybody changes nothing', async () => {
  const server = await stage.server();
  const daemon = await stage.proxy();
  expect(await daemon.reload({ connect_proxy: { allow: ['127.0.0.0/8:*'] } })).toMatchObject({
    msg: expect.stringMatching(/^reload refused/),
  });
  expect(await statusOf(daemon.port, server.target)).toBe(200);
  expect(await daemon.metric('anyport_config_generation')).toBe(1);
});
