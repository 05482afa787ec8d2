/** The load through a configuration of the user's. */
import { mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Report } from '../../src/bench/bench.js';
import { forLoad } from '../../src/bench/own.js';
import { anyport } from '../support/daemon.js';
import { type TempFolder, tempFolder } from '../support/temp.js';

const document = {
  server: { listen: ':443', user: 'anyport', max_connections_per_ip: 3 },
  listeners: [
    {
      name: 'inner',
      address: 'unix:/run/a.sock',
      mode: '0660',
      proxy_protocol: { accept: true, trusted: ['unix'] },
    },
  ],
  protocols: [
    { name: 'HTTP', target: 'web1:80,web2:80' },
    { name: 'SSH', target: { endpoints: ['10.0.0.1:22'], proxy_protocol: 'v2', balance: 'random_two' } },
    { name: 'Sensor', target: 'web', start_bytes: ['aa55'] },
    { name: 'Telnet', target: 'reset' },
    { name: 'Redis', handler: 'builtin:redis' },
  ],
  routes: [{ when: { listener: 'inner' }, to: 'web' }],
  upstreams: { web: { endpoints: ['10.0.0.5:443'], over: 'kcp', kcp: 'link', retries: 3 } },
  forwards: [{ listen: 2222, target: '10.0.0.1:22' }],
  security: {
    enable_rate_limit: true,
    rate_limit: { requests_per_second: 5, total_per_second: 7 },
    ip_blacklist_files: ['lists/deny.txt'],
    allow_only: ['10.0.0.0/8'],
    ban_export: '/run/bans',
  },
  admin: { listen: '127.0.0.1:9093' },
  logging: { access_log: true, file: '/var/log/anyport.log' },
};

test('sessions keep their way and their limits; the outside is left out', () => {
  const web = { endpoints: ['127.0.0.1:9'], retries: 3 };
  expect(forLoad({ document, listeners: [':443', 'inner'] }, '127.0.0.1:9')).toEqual({
    server: { max_connections_per_ip: 3 },
    listeners: [
      { name: 'inner', address: '127.0.0.1:0' },
      { name: ':443', address: '127.0.0.1:0' },
    ],
    protocols: [
      { name: 'HTTP', target: '127.0.0.1:9' },
      { name: 'SSH', target: { endpoints: ['127.0.0.1:9'], balance: 'random_two' } },
      document.protocols[2],
      document.protocols[3],
      document.protocols[4],
    ],
    routes: document.routes,
    upstreams: { web },
    security: {
      enable_rate_limit: true,
      rate_limit: { requests_per_second: 5 },
      ip_blacklist_files: ['lists/deny.txt'],
      ip_whitelist: ['127.0.0.0/8'],
      allow_only: ['127.0.0.0/8', '10.0.0.0/8'],
    },
    logging: { access_log: true },
  });
});

let folder: TempFolder;
beforeAll(() => {
  folder = tempFolder();
  mkdirSync(`${folder.path}/lists`);
  writeFileSync(`${folder.path}/lists/deny.txt`, '203.0.113.0/24\n');
  const routes = [
    { when: { protocol: 'tls', sni: 'www.example.com' }, to: 'web' },
    { when: { protocol: 'tls' }, to: 'reset' },
  ];
  const { max_connections_per_ip } = document.server;
  const security = { enable_ddos_guard: true, ip_blacklist_files: ['lists/deny.txt'] };
  const upstreams = { web: { endpoints: ['192.0.2.1:443'] } };
  const written = {
    server: { listen: ':443', workers: 2, max_connections_per_ip },
    routes,
    upstreams,
    security,
  };
  writeFileSync(`${folder.path}/anyport.yaml`, JSON.stringify(written));
  writeFileSync(`${folder.path}/anyport-bench.yaml`, JSON.stringify(written));
});
afterAll(() => folder.remove());

const contentOf = (path: string): string => (statSync(path).isFile() ? readFileSync(path, 'utf8') : '');
const bench = (...args: string[]) =>
  anyport(['bench', '-c', 'anyport.yaml', '--opening', 'tls', '--duration', '250ms', ...args], folder.path);

test('a route by SNI is measured, with the workers and the files of the configuration, which stay as they are', async () => {
  const files = () => readdirSync(folder.path).map((name) => [name, contentOf(`${folder.path}/${name}`)]);
  const before = files();
  const { status, stdout, stderr } = await bench(
    ...['--host', 'www.example.com', '--workload', 'conn,udp', '--connections', '8', '--json', '-'],
  );
  expect(status, stderr).toBe(0);
  const { results, notes } = JSON.parse(stdout) as Report;
  expect(results).toEqual([expect.objectContaining({ workload: 'conn', workers: 2, connections: 8 })]);
  expect(notes[0]).toMatch(/^sessions of anyport\.yaml on :443 begin as tls and go to web; left out/);
  expect(notes[1]).toBe('not through it: udp');
  expect(files()).toEqual(before);
});

test.each([
  {
    name: 'no endpoint at all',
    written: { protocols: [{ name: 'HTTP', handler: 'builtin:echo' }] },
    says: /on listener :443 no opening reaches an endpoint: /,
  },
  ...(process.geteuid?.() === 0
    ? [
        {
          name: 'a module of the user’s, as root',
          written: { protocols: [{ name: 'HTTP', handler: './own.mjs' }] },
          says: /own\.mjs would run as root: run `anyport bench` as another user/,
        },
      ]
    : []),
])('refused before anything runs: $name', async ({ written, says }) => {
  writeFileSync(`${folder.path}/own.mjs`, 'export default () => {};');
  writeFileSync(`${folder.path}/other.yaml`, JSON.stringify({ server: { listen: ':443' }, ...written }));
  const { status, stderr } = await anyport(['bench', '-c', 'other.yaml'], folder.path);
  expect({ status, stderr }).toEqual({ status: 2, stderr: expect.stringMatching(says) });
});

test('an opening that no route wants is said before anything runs', async () => {
  const { status, stderr } = await bench('--workload', 'conn', '--host', 'other.example.com');
  expect(status).toBe(2);
  expect(stderr).toMatch(/on listener :443 tls reaches no endpoint: .*--host/);
});
