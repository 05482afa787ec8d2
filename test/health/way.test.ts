/** Probes through proxies: TLS to the first one, which is always verified, and TLS of the check inside of it. */
import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { z } from 'zod';
import type { Outcome } from '../../src/health/check.js';
import { checkOf } from '../../src/health/checks/index.js';
import { probe } from '../../src/health/probe.js';
import type { ViaTls } from '../../src/model/via.js';
import { asksThrough } from '../../src/via/index.js';
import { readHop } from '../../src/via/url.js';
import { nginxRecipe, RealServer } from '../support/real-servers.js';
import { squidTools, startSquid } from '../support/squid.js';
import { describeWith } from '../support/tools.js';

const proxyName = 'proxy.example';
const name = 'www.example.com';

describeWith(
  ...squidTools,
  'nginx',
  'openssl',
)('squid in TLS', () => {
  let squid: RealServer;
  let nginx: RealServer;
  let ca: string;

  beforeAll(async () => {
    squid = await startSquid({ tls: proxyName, users: { al: 'pw' }, hosts: { 'web.test': '127.0.0.1' } });
    nginx = await RealServer.start(nginxRecipe('', { name, days: 9 }));
    ca = readFileSync(`${squid.folder}/cert.pem`, 'utf8');
  }, 60_000);

  afterAll(async () => {
    await squid.remove();
    await nginx.remove();
  });

  function ask(type: string, options: object, tls: ViaTls, userinfo = 'al:pw@'): Promise<Outcome> {
    const check = checkOf(type);
    const read = readHop(`https://${userinfo}127.0.0.1:${squid.port}`);
    if (check === undefined || 'fault' in read) throw new Error('wrong test');
    const place = { host: 'web.test', port: nginx.port };
    return probe({
      check,
      options: z.object(check.options(z)).parse(options),
      address: { host: '127.0.0.1', port: squid.port },
      way: { asks: asksThrough([read.hop], place), tls, place },
      context: { serverName: name, upstream: 'web', endpoint: `web.test:${nginx.port}` },
      timeoutMs: 20_000,
      signal: new AbortController().signal,
    });
  }

  const known = () => ({ serverName: proxyName, ca });

  test('a connection, and TLS inside of TLS', async () => {
    expect(await ask('tcp', {}, known())).toEqual({ well: true });
    expect(await ask('tls', { server_name: name, min_days: 7 }, known())).toMatchObject({ well: true });
    const https = { server_name: name, body: 'by nginx', path: '/' };
    expect(await ask('https', https, known())).toMatchObject({ well: true });
  });

  test.each([
    ['another name', () => ({ serverName: 'other.example', ca }), 'its certificate is not for other.example'],
    [
      'authorities that do not know it',
      () => ({ serverName: proxyName, ca: null }),
      'its certificate is self-signed',
    ],
  ])('%s: nobody is told the password', async (_, tls, why) => {
    expect(await ask('tcp', {}, tls())).toEqual({ well: false, why: `via 127.0.0.1:${squid.port}: ${why}` });
  });

  test('a refusal inside of TLS', async () => {
    expect(await ask('tcp', {}, known(), 'al:wrong@')).toEqual({
      well: false,
      why: `via 127.0.0.1:${squid.port}: answers 407 Proxy Authentication Required`,
    });
  });
});
