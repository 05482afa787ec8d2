/** From what the Engine API says of containers to fragments, and every label that is refused. */
import { expect, test } from 'vitest';
import { mergeContributions } from '../../../src/config/contributions/index.js';
import { documentSource } from '../../../src/config/document.js';
import { containerOf } from '../../../src/providers/docker/container.js';
import { fragmentsOf } from '../../../src/providers/docker/fragments.js';
import { validateSource } from '../../config/support.js';

interface Said {
  readonly labels: Record<string, unknown>;
  readonly name?: string;
  readonly state?: string;
  readonly status?: string;
  readonly address?: string;
  readonly networks?: Record<string, string>;
  readonly mode?: string;
  readonly ports?: readonly number[];
  readonly created?: number;
}

/** As `GET /containers/json` says it. */
const entry = (said: Said, index = 0) => ({
  Id: `${index}`.padStart(64, 'a'),
  Names: [`/${said.name ?? 'web'}`],
  Labels: said.labels,
  Created: said.created ?? 1000 + index,
  State: said.state ?? 'running',
  Status: said.status ?? 'Up 2 minutes',
  Ports: (said.ports ?? [80]).map((port) => ({ PrivatePort: port, Type: 'tcp' })),
  HostConfig: { NetworkMode: said.mode ?? 'bridge' },
  NetworkSettings: {
    Networks: Object.fromEntries(
      Object.entries(said.networks ?? { bridge: said.address ?? `172.17.0.${index + 2}` }).map(
        ([name, ip]) => [name, { IPAddress: ip, GlobalIPv6Address: '' }],
      ),
    ),
  },
});

function made(said: readonly Said[], choice = { network: '', allowLoopback: false }) {
  const containers = said.map((each, index) => containerOf(entry(each, index)));
  const { contribution, problems } = fragmentsOf(
    containers.filter((container) => container !== null),
    choice,
  );
  return {
    documents: contribution.fragments.map(({ document }) => document),
    problems: problems.map(({ from, message }) => `${from}: ${message}`),
    contribution,
  };
}

const turn = {
  'proxy.aliases': 'turn-tcp, turn-udp',
  'proxy.turn-tcp.scheme': 'tcp',
  'proxy.turn-tcp.port': '7878:3478',
  'proxy.turn-udp.scheme': 'udp',
  'proxy.turn-udp.port': '7878:3478',
};

const target = (address: string, rest: object = {}) => ({ endpoints: [{ address, weight: 1 }], ...rest });

test("GoDoxy's TURN server", () => {
  const { documents, problems } = made([{ name: 'coturn', labels: turn }]);
  expect(problems).toEqual([]);
  expect(documents).toEqual([
    { forwards: [{ name: 'turn-tcp', listen: 7878, scheme: 'tcp', target: target('172.17.0.2:3478') }] },
    { forwards: [{ name: 'turn-udp', listen: 7878, scheme: 'udp', target: target('172.17.0.2:3478') }] },
  ]);
});

test('its listening ports are valid beside each other, and beside a file', () => {
  const { contribution } = made([{ labels: turn }]);
  const base = documentSource({
    listeners: [{ name: 'front', address: ':443' }],
    protocols: [{ name: 'SSH', target: '10.0.0.1:22' }],
  });
  const { validated, refused } = mergeContributions(base, [contribution], (source) => validateSource(source));
  expect(refused).toEqual([]);
  expect(validated.ok && validated.config.listeners.map(({ name }) => name)).toEqual([
    'front',
    'turn-tcp',
    'turn-udp',
  ]);
});

test('sessions that are identified, with every label of ours', () => {
  const labels = {
    'anyport.web.protocol': 'http',
    'anyport.web.host': 'a.example, b.example',
    'anyport.web.path': '/api/*',
    'anyport.web.listener': 'front',
    'anyport.web.port': '8080',
    'anyport.web.weight': '3',
    'anyport.web.proxy_protocol': 'v2',
    'anyport.web.health_check.type': 'http',
    'anyport.web.health_check.rise': '4',
  };
  const { documents, problems, contribution } = made([{ labels }]);
  expect(problems).toEqual([]);
  expect(documents).toEqual([
    {
      upstreams: {
        web: {
          endpoints: [{ address: '172.17.0.2:8080', weight: 3 }],
          health_check: { type: 'http', rise: 4 },
          proxy_protocol: 'v2',
        },
      },
      routes: [
        {
          when: { protocol: 'http', host: ['a.example', 'b.example'], path: '/api/*', listener: 'front' },
          to: 'web',
        },
      ],
    },
  ]);
  const base = documentSource({ listeners: [{ name: 'front', address: ':80' }] });
  const merged = mergeContributions(base, [contribution], (source) => validateSource(source));
  expect(merged.refused).toEqual([]);
});

test('containers of one alias are endpoints of one upstream, whatever their order', () => {
  const labels = { 'anyport.web.sni': 'a.example' };
  const one: Said = { name: 'one', labels };
  const two: Said = { name: 'two', labels: { ...labels, 'anyport.web.weight': '5' } };
  const { documents, problems } = made([one, two]);
  expect(problems).toEqual([]);
  expect(documents).toMatchObject([
    {
      upstreams: {
        web: {
          endpoints: [
            { address: '172.17.0.2:80', weight: 1 },
            { address: '172.17.0.3:80', weight: 5 },
          ],
        },
      },
    },
  ]);
  const containers = [entry(one, 0), entry(two, 1)].map(
    (each) => containerOf(each) as NonNullable<ReturnType<typeof containerOf>>,
  );
  const choice = { network: '', allowLoopback: false };
  expect(fragmentsOf(containers.toReversed(), choice)).toEqual(fragmentsOf(containers, choice));
});

test('a younger container can not change what an alias is', () => {
  const { documents, problems } = made([
    { name: 'young', created: 2000, labels: { 'anyport.web.host': 'evil.example' } },
    { name: 'old', created: 1000, labels: { 'anyport.web.host': 'a.example' } },
  ]);
  expect(documents).toMatchObject([{ routes: [{ when: { host: 'a.example' } }] }]);
  expect(problems).toEqual([
    'container young, label anyport.web.host: is not what container old, which is older, says of the alias `web`: the same labels, or another alias',
  ]);
});

test.each<[string, Partial<Said>, readonly number[]]>([
  ['well', { status: 'Up 2 minutes (healthy)' }, [1]],
  ['without a check', {}, [1]],
  ['unhealthy', { status: 'Up 2 minutes (unhealthy)' }, [0]],
  ['still starting', { status: 'Up 2 seconds (health: starting)' }, [0]],
  ['paused', { state: 'paused', status: 'Up 2 minutes (Paused)' }, [0]],
  ['ended', { state: 'exited' }, []],
  ['excluded', { labels: { 'anyport.web.host': 'a.example', 'proxy.exclude': 'true' } }, []],
  ['of somebody else', { labels: { 'traefik.enable': 'true' } }, []],
])('a container that is %s', (_, said, weights) => {
  const { documents, problems } = made([{ labels: { 'anyport.web.host': 'a.example' }, ...said }]);
  expect(problems).toEqual([]);
  const endpoints = documents.flatMap(
    (document) =>
      (document as { upstreams: { web: { endpoints: { weight: number }[] } } }).upstreams.web.endpoints,
  );
  expect(endpoints.map(({ weight }) => weight)).toEqual(weights);
});

test.each<[string, Partial<Said>, string, string]>([
  ['the first by name', { networks: { b: '10.2.0.1', a: '10.1.0.1' } }, '', '10.1.0.1:80'],
  ["the file's", { networks: { b: '10.2.0.1', a: '10.1.0.1' } }, 'b', '10.2.0.1:80'],
  [
    "the label's",
    {
      networks: { b: '10.2.0.1', a: '10.1.0.1' },
      labels: { 'anyport.network': 'a', 'anyport.web.host': 'x.example' },
    },
    'b',
    '10.1.0.1:80',
  ],
  [
    "that of GoDoxy's label",
    {
      networks: { b: '10.2.0.1', a: '10.1.0.1' },
      labels: { 'proxy.network': 'a', 'anyport.web.host': 'x.example' },
    },
    'b',
    '10.1.0.1:80',
  ],
  ['one of IPv6', { networks: { a: 'fd00::5' } }, '', '[fd00::5]:80'],
  [
    'that of a host',
    { labels: { 'proxy.web.host': '192.0.2.7', 'anyport.web.host': 'x.example' } },
    '',
    '192.0.2.7:80',
  ],
])('the address is %s', (_, said, network, address) => {
  const { documents, problems } = made([{ labels: { 'anyport.web.host': 'x.example' }, ...said }], {
    network,
    allowLoopback: false,
  });
  expect(problems).toEqual([]);
  expect(documents).toMatchObject([{ upstreams: { web: { endpoints: [{ address }] } } }]);
});

const manyAliases = { 'proxy.aliases': Array.from({ length: 64 }, (_, at) => `a${at}`).join() };

const web = (labels: Record<string, unknown>) => ({ 'anyport.web.host': 'a.example', ...labels });

test.each<[string, Partial<Said>, RegExp]>([
  [
    'a port that is none',
    { labels: web({ 'anyport.web.port': '70000' }) },
    /label anyport\.web\.port: expected a port/,
  ],
  [
    'a listening port alone',
    { labels: { 'proxy.web.port': '80' } },
    /label proxy\.web\.port: expected `LISTEN:TARGET`/,
  ],
  ['a port of words', { labels: { 'proxy.web.port': 'a:b' } }, /label proxy\.web\.port/],
  ['port 0', { labels: { 'proxy.web.port': '0:80' } }, /label proxy\.web\.port/],
  [
    'an unknown scheme',
    { labels: { 'proxy.web.port': '80:80', 'proxy.web.scheme': 'https' } },
    /label proxy\.web\.scheme: expected tcp, udp, tcp\+udp.*anyport\.ALIAS\.host/,
  ],
  ['a scheme without ports', { labels: { 'proxy.web.scheme': 'tcp' } }, /proxy\.web\.scheme: needs/],
  [
    'an unknown key',
    { labels: web({ 'anyport.web.hots': 'x' }) },
    /label anyport\.web\.hots: `hots` is none of the keys/,
  ],
  ['both languages at odds', { labels: web({ 'proxy.web.port': '80:80' }) }, /passes a port on/],
  ['nothing that leads there', { labels: { 'anyport.web.weight': '1' } }, /leads nowhere/],
  ['no port to choose', { labels: web({}), ports: [] }, /exposes no port/],
  ['two ports', { labels: web({}), ports: [80, 81] }, /exposes 2 ports/],
  [
    'a weight of words',
    { labels: web({ 'anyport.web.weight': 'heavy' }) },
    /label anyport\.web\.weight: expected a weight/,
  ],
  ['a weight that is too big', { labels: web({ 'anyport.web.weight': '257' }) }, /expected a weight/],
  [
    'loopback',
    { labels: web({ 'proxy.web.host': '127.0.0.1' }) },
    /label proxy\.web\.host: `127\.0\.0\.1` leads to this machine itself/,
  ],
  [
    'the network of the host',
    { labels: web({}), mode: 'host', networks: {} },
    /leads to this machine itself/,
  ],
  [
    'a network that it is not in',
    { labels: web({ 'anyport.network': 'other' }) },
    /label anyport\.network: it has no address in `other`; its networks with one: `bridge`/,
  ],
  ['no network', { labels: web({}), networks: {} }, /no address in any network/],
  ['a host that is none', { labels: web({ 'proxy.web.host': 'a b' }) }, /no host name and no address/],
  [
    'a path to a socket',
    { labels: web({ 'proxy.web.host': 'unix:/run/docker.sock' }) },
    /no host name and no address/,
  ],
  [
    'a value of a megabyte',
    { labels: web({ 'anyport.web.path': 'x'.repeat(1 << 20) }) },
    /label anyport\.web\.path: has 1048576 characters: at most 4096/,
  ],
  ['binary bytes', { labels: web({ 'anyport.web.path': '/\u0000\u001b[31m' }) }, /has control characters/],
  ['bytes that are no UTF-8', { labels: web({ 'anyport.web.path': '/\ufffd' }) }, /no text/],
  [
    'an alias with a path',
    { labels: { 'proxy.aliases': '../../etc', 'proxy.web.port': '80:80' } },
    /`\.\.\/\.\.\/etc` can not be an alias/,
  ],
  [
    'an alias of a megabyte',
    { labels: { 'proxy.aliases': 'x'.repeat(1 << 20) } },
    /label proxy\.aliases: `x{80}…` can not be an alias/,
  ],
  [
    'very many aliases',
    {
      labels: {
        'proxy.aliases': Array.from({ length: 200 }, (_, index) => `a${index}`).join(),
        'proxy.*.port': '80:80',
      },
    },
    /200 aliases are too many/,
  ],
  [
    'a network that would command a terminal',
    { labels: web({ 'anyport.network': '\u001b[2J' }) },
    /label anyport\.network: has control characters/,
  ],
  [
    'a network of a megabyte',
    { labels: web({ 'anyport.network': 'x'.repeat(1 << 20) }) },
    /label anyport\.network: has 1048576 characters: at most 4096/,
  ],
  [
    'a name of a million parts',
    { labels: { ...web({}), [`proxy.${'.'.repeat(1e6)}`]: 'x', ...manyAliases } },
    /has a name of 1000006 characters: at most 256/,
  ],
  [
    'more labels than are read',
    { labels: Object.fromEntries(Array.from({ length: 1025 }, (_, at) => [`proxy.*.k${at}`, 'x'])) },
    /label \*: 1025 labels: at most 1024/,
  ],
  [
    'as many wrong labels as are read, each for as many aliases as there may be',
    {
      labels: {
        ...manyAliases,
        ...Object.fromEntries(Array.from({ length: 1000 }, (_, at) => [`proxy.*.k${at}`, 'x'])),
      },
    },
    /^(?:.*is none of the keys.*\n){20}container web, label \*: 63980 more problems$/,
  ],
  [
    'a check with the name of a prototype',
    { labels: web({ 'anyport.web.health_check.__proto__': 'x' }) },
    /`health_check\.__proto__` is none of the keys/,
  ],
  [
    'an alias with the name of a prototype',
    { labels: { 'anyport.__proto__.host': 'a.example' } },
    /`__proto__` can not be an alias/,
  ],
  ['a label of nobody', { labels: web({ 'anyport.web': '80' }) }, /label anyport\.web: belongs to no alias/],
])('%s is refused by name, and other containers go on', (_, said, why) => {
  const good: Said = {
    name: 'good',
    labels: { 'anyport.good.sni': 'good.example' },
    created: 1,
    address: '10.9.0.1',
  };
  const { documents, problems } = made([{ labels: {}, ...said }, good]);
  expect(problems.join('\n')).toMatch(why);
  expect(problems.every((line) => line.startsWith('container web, label '))).toBe(true);
  expect(documents).toContainEqual(expect.objectContaining({ upstreams: { good: target('10.9.0.1:80') } }));
});

test('names of containers and networks that engines make up are bounded, and can command no terminal', () => {
  const name = `\u001b[2J\n${'x'.repeat(1e6)}`;
  const { documents, problems, contribution } = made([
    { name, labels: { 'anyport.a.host': 'a.example' } },
    {
      name,
      labels: { 'anyport.b.host': 'b.example', 'anyport.network': 'none' },
      networks: { [name]: '10.0.0.1' },
    },
  ]);
  expect(documents).toHaveLength(1);
  expect(problems).toHaveLength(1);
  const shown = [...problems, JSON.stringify(contribution)];
  expect(Math.max(...shown.map((text) => text.length))).toBeLessThan(2000);
  // biome-ignore lint/suspicious/noControlCharactersInRegex: none of them may be there.
  expect(problems.join('')).not.toMatch(/[\u0000-\u001f]/);
});

test('with permission a label may lead to this machine', () => {
  const { documents, problems } = made([{ labels: web({}), mode: 'host', networks: {} }], {
    network: '',
    allowLoopback: true,
  });
  expect(problems).toEqual([]);
  expect(documents).toMatchObject([{ upstreams: { web: { endpoints: [{ address: '127.0.0.1:80' }] } } }]);
});

test("GoDoxy's short forms: every alias, and the first one", () => {
  const { documents } = made([
    {
      labels: {
        'proxy.aliases': 'a,b',
        'proxy.*.scheme': 'udp',
        'proxy.#1.port': '1:2',
        'proxy.b.port': '3:4',
      },
    },
  ]);
  expect(documents).toMatchObject([
    { forwards: [{ name: 'a', listen: 1, scheme: 'udp' }] },
    { forwards: [{ name: 'b', listen: 3, scheme: 'udp' }] },
  ]);
});

test("GoDoxy's defaults: the name of the container, and the transport of the port", () => {
  const udp = { ...entry({ name: 'dns', labels: { 'proxy.*.port': '5353:53' } }) };
  udp.Ports = [{ PrivatePort: 53, Type: 'udp' }];
  const both = { ...udp, Ports: [...udp.Ports, { PrivatePort: 53, Type: 'tcp' }] };
  const choice = { network: '', allowLoopback: false };
  const forwards = [udp, both].map((each) => {
    const { contribution, problems } = fragmentsOf([containerOf(each) ?? []].flat(), choice);
    expect(problems).toEqual([]);
    return contribution.fragments[0]?.document.forwards;
  });
  expect(forwards).toMatchObject([
    [{ name: 'dns', listen: 5353, scheme: 'udp' }],
    [{ name: 'dns', listen: 5353, scheme: 'tcp' }],
  ]);
});

test('a container without an alias and without a name that can be one is named', () =>
  expect(made([{ name: 'a.b', labels: { 'proxy.#1.port': '1:2' } }]).problems).toEqual([
    'container a.b, label proxy.aliases: `a.b` can not be an alias: letters, digits, `-` and `_`, at most 63',
    'container a.b, label proxy.#1.port: belongs to no alias: write `proxy.ALIAS.KEY` or `anyport.ALIAS.KEY`',
  ]));

test.each([...[null, 7, 'x', [], {}, { Id: 7 }, { Id: '' }]])('%j is no container', (value) =>
  expect(containerOf(value)).toBe(null),
);

test('values of wrong types in an answer are left out', () => {
  const container = containerOf({
    ...{
      Id: 'a'.repeat(64),
      Names: [7],
      Labels: { a: 7, 'anyport.web.host': null },
      Created: 'now',
      State: 'running',
    },
    ...{
      Status: 7,
      Ports: [7, { PrivatePort: '80' }],
      HostConfig: 7,
      NetworkSettings: { Networks: { a: 7, b: { IPAddress: 9 } } },
    },
  });
  expect(container).toMatchObject({
    name: 'a'.repeat(12),
    labels: {},
    networks: [],
    ports: [],
    created: 0,
    isUp: true,
  });
});
