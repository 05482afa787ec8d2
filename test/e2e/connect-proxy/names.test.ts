/** Destinations by name: looked up once, every address judged, and what has been judged is dialled. */
import { beforeAll, expect, test } from 'vitest';
import type { Daemon, StartOptions } from '../../support/daemon.js';
import type { DnsServer } from '../../support/dns-server.js';
import { freePort } from '../../support/ports.js';
import { askTunnel, openTunnel, statusOf } from '../../support/proxy-clients.js';
import { describeAsRoot } from '../../support/tools.js';
import { eventually } from '../../support/wait.js';
import { useStage } from './stage.js';

const stage = useStage();

describeAsRoot('names', () => {
  /** 127.0.0.2 may be dialled, the rest of this machine may not. */
  const oneAddress = { allow: ['*.test:*', '127.0.0.2/32:*'] } as const;
  const shared = useStage('all');
  let dns: DnsServer;
  let options: StartOptions;
  const timesAsked = (name: string) => dns.asked.filter((each) => each === name).length;
  let daemon: Daemon;
  beforeAll(async () => {
    ({ dns, options } = await shared.names('options attempts:1'));
    daemon = await shared.proxy(oneAddress, { options });
  });

  test('a name is looked up once, and the address that was judged is dialled: another answer later changes nothing', async () => {
    const inside = await stage.server((peer) => void peer.send('secret').finish());
    const outside = await stage.server((peer) => void peer.send('public').finish(), '127.0.0.2');
    dns.ttl = 0;
    dns.names.set('rebinds.test', ['127.0.0.2']);
    // The second look-up, if there were one, would lead inside.
    const asked = eventually('the question', () => {
      if (timesAsked('rebinds.test') === 0) return false;
      dns.names.set('rebinds.test', ['127.0.0.1']);
      return true;
    });
    const status = statusOf(daemon.port, `rebinds.test:${inside.port}`);
    await asked;
    expect(await status).toBe(502); // nobody listens there
    expect(inside.peers).toHaveLength(0);
    expect(timesAsked('rebinds.test')).toBe(1);
    // Once the answer has run out it is refused.
    const becomes = (port: number, wanted: number) =>
      eventually(
        `an answer ${wanted}`,
        async () => (await statusOf(daemon.port, `rebinds.test:${port}`)) === wanted,
      );
    await becomes(inside.port, 403);
    dns.names.set('rebinds.test', ['127.0.0.2']);
    await becomes(outside.port, 200);
    expect(inside.peers).toHaveLength(0);
  });

  test.each([
    ['first', 'first.test', ['127.0.0.1', '127.0.0.2']],
    ['last', 'last.test', ['127.0.0.2', '127.0.0.1']],
    ['of the other family', 'other-family.test', ['127.0.0.2', '::1']],
  ])('one address that is not allowed refuses them all: %s', async (_, name, addresses) => {
    const server = await stage.server(undefined, '127.0.0.2');
    dns.names.set(name, addresses);
    const { client, answer } = await askTunnel(daemon.port, `${name}:${server.port}`);
    expect(answer.status).toBe(403);
    client.socket.destroy();
    expect(await daemon.sessionOf(client)).toMatchObject({ by: 'proxy', reason: 'rejected' });
    expect(server.peers).toHaveLength(0);
  });

  test('the addresses are tried in turn, and the line says which name was asked for', async () => {
    const server = await stage.server(undefined, '127.0.0.3');
    dns.names.set('many.test', ['127.0.0.2', '127.0.0.3']);
    const daemon = await stage.proxy({ allow: ['127.0.0.2/31:*'] }, { options });
    const tunnel = await openTunnel(daemon.port, `Many.Test:${server.port}`);
    tunnel.client.send('x');
    expect(`${await tunnel.bytes(1)}`).toBe('x');
    tunnel.client.finish();
    expect(await daemon.sessionOf(tunnel.client)).toMatchObject({
      endpoint: `many.test:${server.port}`,
      reason: 'done',
    });
    expect(timesAsked('many.test')).toBe(1);
  });

  test.each(['nxdomain', 'servfail'] as const)(
    'a name without addresses is answered 502: %s',
    async (failure) => {
      const name = `${failure}.test`;
      dns.names.set(name, failure);
      const { client, answer } = await askTunnel(daemon.port, `${name}:443`);
      expect(answer.status).toBe(502);
      expect(answer.content).toMatch(/^[^\n]+\n$/);
      client.socket.destroy();
      expect(await daemon.sessionOf(client)).toMatchObject({
        reason: 'no_endpoint',
        endpoint: `${name}:443`,
      });
    },
  );

  test('a name that is denied or not allowed is not even looked up', async () => {
    dns.names.set('www.evil.test', ['127.0.0.2']);
    dns.names.set('www.other.example', ['127.0.0.2']);
    const daemon = await stage.proxy({ allow: ['*.test:*'], deny: ['*.evil.test:*'] }, { options });
    expect(await statusOf(daemon.port, 'www.evil.test:443')).toBe(403);
    expect(await statusOf(daemon.port, 'WWW.EVIL.TEST:443')).toBe(403);
    expect(await statusOf(daemon.port, 'www.evil.test.:443')).toBe(403);
    expect(await statusOf(daemon.port, 'www.other.example:443')).toBe(403);
    expect(dns.asked.filter((name) => /evil|example/.test(name))).toEqual([]);
  });

  test('a denied network holds for what names lead to, whatever allows the name', async () => {
    const server = await stage.server(undefined, '127.0.0.2');
    dns.names.set('www.test', ['127.0.0.2']);
    const daemon = await stage.proxy(
      { allow: ['*.test:*', '127.0.0.0/8:*'], deny: ['127.0.0.2/32:*'] },
      { options },
    );
    expect(await statusOf(daemon.port, `www.test:${server.port}`)).toBe(403);
    expect(server.peers).toHaveLength(0);
  });

  test('a name that leads to one of our own listeners is refused', async () => {
    dns.names.set('back.test', ['127.0.0.1']);
    const port = await freePort();
    const daemon = await stage.proxy(
      { allow: ['*.test:*', '127.0.0.0/8:*'] },
      { options, listeners: [{ name: 'front', address: `0.0.0.0:${port}` }] },
    );
    expect(await statusOf(port, `back.test:${port}`)).toBe(403);
    expect(await daemon.metric('anyport_accepted_total')).toBe(1);
  });
});
