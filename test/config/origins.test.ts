/** Where the things of a configuration are said: files and their lines, flags, containers and keys of etcd. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { serviceOfFile } from '../../src/base/address.js';
import { compile } from '../../src/config/compile.js';
import { loadConfig } from '../../src/config/load.js';
import { saidBy, sourceOf } from '../../src/config/said-by.js';
import { upstreamOrigins } from '../../src/config/upstream-origins.js';
import { type Config, type Discovery, NOTHING_DISCOVERED } from '../../src/model/config.js';
import { IdRegistry } from '../../src/plane/ids.js';
import type { Contribution } from '../../src/providers/contribution.js';
import { tempFolder } from '../support/temp.js';

const folder = tempFolder();
afterAll(() => folder.remove());
const file = join(folder.path, 'anyport.yaml');
const included = join(folder.path, 'conf.d', 'web.yaml');
mkdirSync(join(folder.path, 'conf.d'));
writeFileSync(
  file,
  `include: conf.d/*.yaml
listeners: [{ name: front, address: ":443" }]
upstreams:
  api: { endpoints: ["10.0.0.1:80"] }
protocols:
  - { name: SSH, target: "10.0.0.2:22" }
  - { name: HTTP }
  - { name: Redis }
routes:
  - { when: { protocol: HTTP, host: api.example }, to: api }
`,
);
writeFileSync(
  included,
  `upstreams:
  web: { endpoints: ["10.0.0.3:80", "10.0.0.4:80"] }
routes: [{ when: { protocol: HTTP, host: web.example }, to: web }]
forwards: [{ name: mail, listen: 25, target: "10.0.0.9:25" }]
`,
);

const docker: Contribution = {
  provider: 'docker',
  fragments: [
    {
      from: 'container shop-1, alias shop',
      document: {
        upstreams: { shop: { endpoints: [{ address: '10.1.0.1:80' }, { address: '10.1.0.2:80' }] } },
        routes: [{ when: { host: 'shop.example' }, to: 'shop' }],
      },
      said: {
        'upstreams.shop.endpoints[1]': 'container shop-2, label anyport.shop.port',
        'routes[0].when.host': 'container shop-1, label anyport.shop.host',
      },
    },
  ],
};
const etcd: Contribution = {
  provider: 'etcd',
  fragments: [
    {
      from: 'key /anyport/config/dns',
      text: 'forwards:\n  - { name: dns, listen: 53, scheme: udp, target: "10.2.0.1:53" }\n',
    },
  ],
};

function configOf(contributions: readonly Contribution[], flags: object = {}): Config {
  const loaded = loadConfig({ file, flags, environment: {}, contributions });
  if (!loaded.ok) throw new Error(JSON.stringify(loaded.problems));
  expect(loaded.refused).toEqual([]);
  return loaded.config;
}

/** As they are in force. */
const upstreamsOf = (config: Config, discovery: Discovery) =>
  upstreamOrigins(compile(config, discovery, 1, new IdRegistry()).upstreams, config.origins);

const inFile = (line: number) => `${file}:${line}`;
const inIncluded = (line: number) => `${included}:${line}`;

test('each thing has the file and the line, the container and label, the key or the flag', () => {
  const { origins } = configOf([docker, etcd], { route: [{ name: 'Memcached', target: '10.0.0.7:11211' }] });
  expect(origins.map(({ kind, name, from }) => [kind, name, from])).toEqual([
    ['upstream', 'api', inFile(4)],
    ['upstream', 'web', inIncluded(2)],
    ['upstream', 'shop', 'docker: container shop-1, alias shop'],
    ['protocol', 'SSH', inFile(6)],
    ['protocol', 'HTTP', inFile(7)],
    ['protocol', 'Redis', inFile(8)],
    ['protocol', 'Memcached', '--route Memcached'],
    ['route', 'routes[0]', inFile(10)],
    ['route', 'routes[1]', inIncluded(3)],
    ['route', 'routes[2]', 'docker: container shop-1, alias shop'],
    ['forward', 'mail', inIncluded(4)],
    ['forward', 'dns', 'etcd: key /anyport/config/dns:2'],
  ]);
  expect(origins.find(({ name }) => name === 'shop')?.endpoints).toEqual({
    '10.1.0.1:80': 'docker: container shop-1, alias shop',
    '10.1.0.2:80': 'docker: container shop-2, label anyport.shop.port',
  });
  expect(origins.filter(({ endpoints }) => endpoints !== undefined)).toHaveLength(1);
});

test('sources are summed up in their order, each with the endpoints that it adds to those of others', () => {
  const counts = { upstream: 0, protocol: 0, route: 0, forward: 0 };
  const config = configOf([docker, etcd]);
  expect(saidBy(config.origins, upstreamsOf(config, NOTHING_DISCOVERED))).toEqual([
    { source: file, counts: { upstream: 1, protocol: 3, route: 1, forward: 0 }, endpoints: 0 },
    { source: included, counts: { upstream: 1, protocol: 0, route: 1, forward: 1 }, endpoints: 0 },
    { source: 'docker: container shop-1', counts: { ...counts, upstream: 1, route: 1 }, endpoints: 0 },
    { source: 'etcd: key /anyport/config/dns', counts: { ...counts, forward: 1 }, endpoints: 0 },
    { source: 'docker: container shop-2', counts, endpoints: 1 },
  ]);
});

test('an endpoint that is found is of the file, the service or the records that stand for it', () => {
  const own = join(folder.path, 'found.yaml');
  writeFileSync(
    own,
    `listeners: [{ name: front, address: ":443" }]
upstreams:
  both: { endpoints: ["10.0.0.1:80", "service:web"], file_sd: [web.json] }
  files: { file_sd: [web.json] }
protocols:
  - { name: SSH, target: "srv:_ssh._tcp.example" }
distributed: { enable: true, etcd_endpoints: ["http://127.0.0.1:2379"] }
`,
  );
  const loaded = loadConfig({ file: own, flags: {}, environment: {} });
  if (!loaded.ok) throw new Error(JSON.stringify(loaded.problems));
  const found = (host: string) => {
    const endpoint = { name: `${host}:80`, host, port: 80, weight: 1, backup: false };
    return { value: [endpoint], failing: false };
  };
  const json = join(folder.path, 'web.json');
  const services = new Map([
    ['web', found('10.0.0.2')],
    [serviceOfFile(json), found('10.0.0.3')],
    ['_ssh._tcp.example', found('10.0.0.4')],
  ]);
  const upstreams = upstreamsOf(loaded.config, { ...NOTHING_DISCOVERED, services });
  const inFile = { name: '10.0.0.3:80', from: `file_sd: ${json}` };
  expect(upstreams).toEqual([
    {
      name: 'both',
      from: `${own}:3`,
      endpoints: [
        { name: '10.0.0.1:80', from: `${own}:3` },
        { name: '10.0.0.2:80', from: 'etcd: service web' },
        inFile,
      ],
    },
    { name: 'files', from: `${own}:4`, endpoints: [inFile] },
    {
      name: 'SSH',
      from: `${own}:6`,
      endpoints: [{ name: '10.0.0.4:80', from: 'dns: srv:_ssh._tcp.example' }],
    },
  ]);
  const counts = { upstream: 0, protocol: 0, route: 0, forward: 0 };
  expect(saidBy(loaded.config.origins, upstreams)).toEqual([
    { source: own, counts: { ...counts, upstream: 2, protocol: 1 }, endpoints: 0 },
    { source: 'etcd: service web', counts, endpoints: 1 },
    { source: `file_sd: ${json}`, counts, endpoints: 2 },
    { source: 'dns: srv:_ssh._tcp.example', counts, endpoints: 1 },
  ]);
});

test.each([
  { from: 'a, b.yaml:7', source: 'a, b.yaml' },
  { from: '--route SSH', source: '--route SSH' },
  { from: 'docker: container a, label proxy.a.port', source: 'docker: container a' },
  { from: 'etcd: key /a/b:12', source: 'etcd: key /a/b' },
  { from: 'etcd: service web', source: 'etcd: service web' },
  { from: 'file_sd: /run/a, b.json', source: 'file_sd: /run/a, b.json' },
  { from: null, source: null },
])('the source of $from is $source', ({ from, source }) => expect(sourceOf(from)).toBe(source));

test('a document has no places', () => {
  const loaded = loadConfig({
    document: { listeners: [{ name: 'a', address: ':1' }], protocols: [{ name: 'SSH', target: 'a:1' }] },
    directory: '.',
  });
  expect(loaded.ok && loaded.config.origins).toEqual([
    { kind: 'protocol', name: 'SSH', from: null, upstreams: ['SSH'] },
  ]);
});
