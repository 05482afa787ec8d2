/** Pages written by hand: their metrics are there, their configurations are accepted, their links lead somewhere. */
import { existsSync, readFileSync } from 'node:fs';
import { rootCertificates } from 'node:tls';
import { describe, expect, test } from 'vitest';
import { jsonSchema } from '../../src/config/schema/index.js';
import { catalog } from '../../src/metrics/catalog.js';
import { reasons } from '../../src/model/session.js';
import { containerOf } from '../../src/providers/docker/container.js';
import { fragmentsOf } from '../../src/providers/docker/fragments.js';
import { ownKeys, proxyKeys } from '../../src/providers/docker/labels.js';
import { problemsOf } from './support.js';

/** Files that the configurations name. */
const files = ['/var/lib/anyport/drop.txt'];
const keys = {
  '/etc/anyport/server.key': { text: Buffer.alloc(32, 1).toString('base64'), isShared: false },
  '/etc/anyport/proxy-ca.pem': { text: rootCertificates[0] ?? '', isShared: true },
  '/etc/anyport/etcd-ca.pem': { text: rootCertificates[0] ?? '', isShared: true },
};

const environment = {
  KCP_SECRET: 'correct-horse-battery-staple',
  KCPTUN_KEY: "it's a secrect",
  PROXY_PASSWORD: 'p%40ss',
  ETCD_PASSWORD: 'said-by-nobody',
};

const all = (text: string, pattern: RegExp): string[] => [
  ...new Set([...text.matchAll(pattern)].map(([, found = '']) => found)),
];

/** Headings and anchors of a page, as links name them. */
const anchorsOf = (page: string): string[] => [
  ...[...page.matchAll(/^#+ (.+)$/gm)].map(([, heading = '']) =>
    heading
      .toLowerCase()
      .replace(/[^\w\- ]/g, '')
      .replaceAll(' ', '-'),
  ),
  ...[...page.matchAll(/<a id="([^"]+)"/g)].map(([, id = '']) => id),
];

describe.each(['cluster.md', 'docker.md', 'deploy.md', 'security.md', 'udp.md', 'kcp.md', 'via.md'])(
  'docs/%s',
  (page) => {
    const text = readFileSync(`docs/${page}`, 'utf8');

    test.each(all(text, /`(anyport_[a-z_]+)/g))('%s is a metric', (name) =>
      expect(Object.keys(catalog)).toContain(name),
    );

    test.each(all(text, /```yaml\n([\s\S]*?)```/g))('accepted: %s', (example) =>
      expect(problemsOf(example, { files, keys, environment })).toEqual([]),
    );

    test.each(all(text, /\]\(([^)]+)\)/g))('%s is there', (link) => {
      const [file = '', anchor] = link.split('#');
      const path = file === '' ? `docs/${page}` : `docs/${file}`;
      expect(existsSync(path)).toBe(true);
      if (anchor !== undefined) expect(anchorsOf(readFileSync(path, 'utf8'))).toContain(anchor);
    });
  },
);

describe('docs/docker.md', () => {
  const text = readFileSync('docs/docker.md', 'utf8');

  test.each([...proxyKeys, ...ownKeys])('the label .%s is told of', (key) =>
    expect(text).toContain(`.${key}\``),
  );

  test("GoDoxy's TURN server is served as it is written", () => {
    const [written = ''] = all(text, /```\n(proxy\.[\s\S]*?)```/g);
    const labels = Object.fromEntries(
      written
        .trim()
        .split('\n')
        .map((line) => line.split(': ')),
    );
    const container = containerOf({
      ...{ Id: 'a', Names: ['/turn'], Labels: labels, State: 'running' },
      NetworkSettings: { Networks: { bridge: { IPAddress: '172.17.0.2' } } },
    });
    const { contribution, problems } = fragmentsOf(container === null ? [] : [container], {
      network: '',
      allowLoopback: false,
    });
    expect(problems).toEqual([]);
    expect(contribution.fragments.map(({ document }) => document.forwards)).toMatchObject([
      [{ name: 'turn-tcp', listen: 7878, scheme: 'tcp' }],
      [{ name: 'turn-udp', listen: 7878, scheme: 'udp' }],
    ]);
  });
});

describe('docs/udp.md', () => {
  const text = readFileSync('docs/udp.md', 'utf8');
  interface Node {
    readonly properties?: Readonly<Record<string, Node | undefined>>;
    readonly additionalProperties?: Node;
    readonly default?: unknown;
  }
  const { server, upstreams } = (jsonSchema() as Node).properties ?? {};
  const ofServer = server?.properties?.udp?.properties ?? {};
  const ofUpstreams = upstreams?.additionalProperties?.properties?.udp?.properties ?? {};

  test.each(Object.keys(ofServer))('server.udp.%s is told of', (key) =>
    expect(text).toContain(`\`server.udp.${key}\``),
  );

  test.each(Object.keys(ofUpstreams))('upstreams.NAME.udp.%s is told of', (key) =>
    expect(text).toMatch(new RegExp(`\`upstreams\\.NAME\\.udp\\.${key}\\b|\`udp: \\{ ${key}: `)),
  );

  test('all keys that it names are there', () => {
    const named = [...all(text, /`server\.udp\.(\w+)/g).map((key) => [key, ofServer] as const)];
    named.push(...all(text, /`upstreams\.NAME\.udp\.(\w+)/g).map((key) => [key, ofUpstreams] as const));
    expect(named.filter(([key, keys]) => !Object.hasOwn(keys, key))).toEqual([]);
  });

  test('the numbers are the defaults', () => {
    for (const key of ['max_flows', 'max_flows_per_ip'])
      expect(text).toMatch(new RegExp(`\\| ${String(ofServer[key]?.default)} \\| \`server\\.udp\\.${key}\``));
    expect([ofServer.receive_buffer?.default, ofServer.idle_timeout?.default]).toEqual([
      4 * 1024 * 1024,
      '60s',
    ]);
  });

  test('every reason of a drop is there, and no other; every reason of an end is one', () => {
    const { values } = catalog.anyport_udp_dropped_total.by;
    expect(new Set(all(text, /reason="(\w+)"/g))).toEqual(new Set(values));
    const told = all(text, /^\| [^|]+ \| `(\w+)` \| `(?:server|upstreams)\./gm);
    expect(told.length).toBeGreaterThan(0);
    for (const reason of told) expect(reasons).toContain(reason);
  });
});

describe('docs/kcp.md', () => {
  const text = readFileSync('docs/kcp.md', 'utf8');
  interface Node {
    readonly properties?: Readonly<Record<string, Node | undefined>>;
    readonly additionalProperties?: Node;
  }
  const { kcp } = (jsonSchema() as Node).properties ?? {};

  test.each(Object.keys(kcp?.additionalProperties?.properties ?? {}))('kcp.NAME.%s is told of', (key) =>
    expect(text).toMatch(new RegExp(`\\b${key}\\b`)),
  );
  test.each(Object.keys(catalog).filter((name) => name.startsWith('anyport_kcp_')))('%s is told of', (name) =>
    expect(text).toContain(`\`${name}`),
  );
});
