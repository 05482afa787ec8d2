/** Names of fragments that lead to this machine itself: what they are looked up to is left out, unless the file permits it. */
import { expect, test } from 'vitest';
import { compile } from '../../src/config/compile.js';
import { mergeContributions } from '../../src/config/contributions/index.js';
import { documentSource } from '../../src/config/document.js';
import { astrayIn } from '../../src/config/guests.js';
import type { Document } from '../../src/model/config.js';
import { IdRegistry } from '../../src/plane/ids.js';
import type { ProviderName } from '../../src/providers/contribution.js';
import { hostsAt } from '../support/plan.js';
import { validateSource } from './support.js';

const file = (permitted: boolean) => ({
  server: { listen: ':9090' },
  protocols: [{ name: 'HTTP' }],
  upstreams: { own: { endpoints: ['trap:80'] } },
  distributed: { enable: true, etcd_endpoints: ['http://e'], allow_loopback: permitted },
  docker: { allow_loopback: permitted },
});

/** Each way in which a fragment names whom it dials. */
const ways: Record<string, Document> = {
  upstream: { upstreams: { u: { endpoints: ['trap:80'] } } },
  forward: { forwards: [{ name: 'f', listen: 7878, target: 'trap:80' }] },
  range: { forwards: [{ name: 'r', listen: '7001-7002', target: 'trap:7001-7002' }] },
  protocol: { protocols: [{ name: 'Redis', target: 'trap:80' }] },
  proxy: { upstreams: { v: { endpoints: ['10.0.0.9:80'], via: 'socks5://trap:1080' } } },
  records: { upstreams: { s: { endpoints: ['srv:_web._tcp.example'] } } },
};

const discovery = {
  ...hostsAt({ trap: ['127.0.0.1', '::1', '169.254.169.254', '0.0.0.0', '::ffff:127.0.0.1', '10.0.0.7'] }),
  services: new Map(
    [
      [
        '_web._tcp.example',
        ['trap', '127.0.0.1'].map((host) => ({
          name: `${host}:80`,
          host,
          port: 80,
          weight: 1,
          backup: false,
        })),
      ] as const,
    ].map(([name, value]) => [name, { value, failing: false }]),
  ),
};

function dialledBy(provider: ProviderName, document: Document, permitted: boolean) {
  const fragment = { from: 'somebody', document };
  const contributions = [{ provider, fragments: [fragment] }];
  const { validated, refused } = mergeContributions(
    documentSource(file(permitted)),
    contributions,
    validateSource,
  );
  if (!validated.ok || refused.length > 0) throw new Error(JSON.stringify([validated, refused]));
  const { upstreams } = compile(validated.config, discovery, 1, new IdRegistry());
  const addresses = upstreams.map(({ name, endpoints }) => {
    const hosts = endpoints.flatMap((each) => each.addresses.map((at) => ('host' in at ? at.host : '')));
    return [name, [...new Set(hosts)]] as const;
  });
  return {
    own: new Map(addresses).get('own'),
    others: addresses.filter(([name]) => name !== 'own'),
    config: validated.config,
  };
}

for (const provider of ['etcd', 'docker'] as const)
  test.each(Object.entries(ways))(
    `${provider}: of a name in a %s only other machines are dialled`,
    (_, document) => {
      const { own, others, config } = dialledBy(provider, document, false);
      expect(own).toContain('127.0.0.1');
      expect(others.length).toBeGreaterThan(0);
      for (const [, hosts] of others) expect(hosts).toEqual(['10.0.0.7']);
      const astray = astrayIn(config, discovery).map(({ upstream }) => upstream);
      expect(new Set(astray)).toEqual(new Set(others.map(([name]) => name)));
    },
  );

test('with permission all are dialled, and none is told', () => {
  const { others, config } = dialledBy('etcd', ways.upstream as Document, true);
  expect(others).toEqual([['u', expect.arrayContaining(['127.0.0.1', '10.0.0.7'])]]);
  expect(astrayIn(config, discovery)).toEqual([]);
});
