/** Flags win over the file, the file over the defaults; what is wrong with a flag names the flag. */
import { describe, expect, test } from 'vitest';
import type { Flags } from '../../src/config/flags.js';
import { configOf, problemsOf } from './support.js';

const file = `
server: { listen: ":1", workers: 2, max_connections: 7 }
protocols: [{ name: SSH, handler: "builtin:echo", priority: 1 }, { name: HTTP, target: "a:80" }]
logging: { level: warn }
`;

test('what no flag names stays', () => {
  const { server, logging } = configOf(file, { flags: { workers: '5', logFormat: 'pretty' } });
  expect([server.workers, server.maxConnections]).toEqual([5, 7]);
  expect([logging.level, logging.format]).toEqual(['warn', 'pretty']);
});

test('--listen replaces server.listen', () => {
  const { listeners } = configOf(file, { flags: { listen: ['127.0.0.1:2', ':3-4'] } });
  expect(listeners.map(({ name }) => name)).toEqual(['127.0.0.1:2', ':3', ':4']);
});

describe('--route', () => {
  const route = [
    { name: 'ssh', target: '127.0.0.1:22' },
    { name: 'redis', target: 'r1:6379' },
    { name: 'SSH', target: '127.0.0.2:22' },
  ];
  const { protocols, upstreams } = configOf(file, { flags: { route } });

  test('replaces where a listed protocol goes, and adds others', () =>
    expect(Object.fromEntries(protocols.map(({ name, priority }) => [name, priority]))).toEqual({
      SSH: 1,
      redis: null,
      HTTP: null,
    }));

  test('the same name again adds an endpoint', () => {
    const ssh = upstreams.find(({ name }) => name === 'SSH');
    expect(ssh?.handler).toBeNull();
    expect(ssh?.endpoints.map(({ name }) => name)).toEqual(['127.0.0.1:22', '127.0.0.2:22']);
  });

  test('needs no file', () => {
    const config = configOf('', { flags: { listen: ['127.0.0.1:9443'], route } });
    expect(config.protocols.map(({ name }) => name)).toEqual(['ssh', 'redis']);
  });
});

describe('--forward', () => {
  const forward = [
    { listen: '2222', target: '127.0.0.1:22' },
    { listen: '7878', scheme: 'tcp', target: '127.0.0.1:3478' },
    { listen: '2222', target: '127.0.0.2:22' },
  ];
  const text = `${file}forwards: [{ name: turn, listen: 7878, target: "10.0.0.7:3478" }]`;
  const { listeners, upstreams } = configOf(text, { flags: { forward } });

  test('replaces where a listed one goes, and adds others; the same again adds an endpoint', () => {
    expect(listeners.map(({ name }) => name)).toEqual([':1', 'turn', ':2222']);
    const endpoints = upstreams.map(({ name, endpoints: own }) => [
      name,
      own.map((each) => each.name).join(),
    ]);
    expect(endpoints).toEqual(
      expect.arrayContaining([
        ['turn', '127.0.0.1:3478'],
        [':2222', '127.0.0.1:22,127.0.0.2:22'],
      ]),
    );
  });

  test('needs no file', () =>
    expect(configOf('', { flags: { forward } }).listeners.map(({ name }) => name)).toEqual([
      ':2222',
      ':7878',
    ]));
});

describe('wrong flags', () => {
  const rows: { flags: Flags; says: string }[] = [
    { flags: { workers: 'many' }, says: '--workers: expected `auto` or a whole number' },
    { flags: { workers: '0' }, says: '--workers: expected `auto` or a whole number' },
    { flags: { accept: 'handof' }, says: '--accept: unknown value `handof`: did you mean `handoff`?' },
    { flags: { maxConnections: '1e9' }, says: '--max-connections: expected a whole number' },
    { flags: { listen: [':1', 'x'] }, says: '--listen [1]: expected an address' },
    { flags: { logLevel: 'loud' }, says: '--log-level: unknown value `loud`' },
    { flags: { logFormat: 'xml' }, says: '--log-format: unknown value `xml`' },
    { flags: { route: [{ name: 'shs', target: 'a:1' }] }, says: '--route shs name: unknown protocol `shs`' },
    { flags: { route: [{ name: 'tls', target: 'a:x' }] }, says: '--route tls target: expected an address' },
  ];
  test.each(rows)('$says', ({ flags, says }) => {
    const problems = problemsOf(file, { flags });
    expect(problems).toHaveLength(1);
    expect(problems[0]).toContain(says);
    expect(problems[0]?.startsWith('--')).toBe(true);
  });

  test('a mistake in the file keeps its place', () =>
    expect(problemsOf('server: { workers: 0 }', { flags: { logLevel: 'info' } })).toEqual([
      expect.stringContaining('any.yaml:1:11: server.workers'),
    ]));

  test('a flag makes good for a reference that is not set', () =>
    expect(problemsOf(`server: { workers: "$\{NONE}" }`, { flags: { workers: '2' } })).toEqual([]));
});
