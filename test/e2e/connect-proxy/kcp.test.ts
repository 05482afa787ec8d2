/** Clients that come over KCP: the proxy at the other end of a link. */
import { expect, test } from 'vitest';
import { startDaemon } from '../../support/daemon.js';
import { freePort } from '../../support/ports.js';
import { askSocks5, openTunnel, statusOf } from '../../support/proxy-clients.js';
import { nearConfig, own } from '../kcp/stage.js';
import { useStage } from './stage.js';

const stage = useStage();

test('CONNECT and SOCKS through a link, under the rules of the far end', async () => {
  const server = await stage.server();
  const [near, far] = [await freePort(), await freePort()];
  const daemon = await stage.proxy(
    { socks: true, deny: ['127.0.0.9/32:*'] },
    {
      kcp: { link: own() },
      listeners: [{ name: 'far', address: `127.0.0.1:${far}`, transport: 'kcp', kcp: 'link' }],
    },
  );
  const link = await startDaemon(nearConfig(own(), near, `127.0.0.1:${far}`));
  stage.later(() => link.stop());
  const tunnel = await openTunnel(near, server.target);
  tunnel.client.send('through a link').finish();
  expect(`${await tunnel.bytes(14)}`).toBe('through a link');
  const { tunnel: socks, code } = await askSocks5(near, '127.0.0.1', server.port);
  expect(code).toBe(0);
  socks.client.send('x').finish();
  expect(`${await socks.bytes(1)}`).toBe('x');
  expect(await statusOf(near, `127.0.0.9:${server.port}`)).toBe(403);
  const lines = await daemon.ended(3);
  expect(lines.map(({ transport }) => transport)).toEqual(['kcp', 'kcp', 'kcp']);
  expect(lines.filter(({ reason }) => reason === 'done')).toHaveLength(2);
});
