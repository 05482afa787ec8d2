/** The configuration that the project started from runs unmodified; what it became is kept here. */

import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { compile } from '../../src/config/compile.js';
import { IdRegistry } from '../../src/plane/ids.js';
import { hostsAt } from '../support/plan.js';
import { configOf, warningsOf } from './support.js';

const text = readFileSync(new URL('cases/mission.yaml', import.meta.url), 'utf8');
const world = { files: ['/etc/anyport/handlers/mqtt.js', '/etc/anyport/validators/custom.js'] };

test('it is accepted, without a word', () => expect(warningsOf(text, world)).toEqual([]));

test('what it became', () => {
  const { server, listeners, protocols, routes, monitoring, logging } = configOf(text, world);
  expect(server.maxConnections).toBe(1024);
  expect(listeners.map(({ address, protocols }) => [address.text, protocols])).toEqual([
    [':9090', ['HTTP', 'Redis', 'CustomBinary', 'SSH', 'MQTT']],
  ]);
  expect(protocols.map(({ id, priority }) => [id, priority])).toEqual([
    ['http', 1],
    ['redis', 2],
    ['custombinary', 7],
    ['ssh', null],
    ['mqtt', null],
  ]);
  expect(routes).toEqual([]);
  expect(monitoring).toEqual({ metrics: { host: '::', port: 9091 }, health: { host: '::', port: 9092 } });
  expect(logging).toEqual({
    file: null,
    level: 'info',
    format: 'json',
    accessLog: true,
    accessLogRate: 1000,
  });
});

test('where its sessions go', () => {
  const discovery = hostsAt({ 'web-server': ['192.0.2.1', '2001:db8::1'], r1: ['192.0.2.2'] });
  const { routes, upstreams } = compile(configOf(text, world), discovery, 1, new IdRegistry());
  const goes = routes.map(({ when, to }) => [
    when.protocol,
    to.kind === 'upstream' && upstreams[to.upstream]?.name,
  ]);
  expect(goes).toEqual([
    [0, 'HTTP'],
    [1, 'Redis'],
    [2, 'CustomBinary'],
    [3, 'bastion'],
    [4, 'MQTT'],
  ]);
  const addresses = upstreams.flatMap(({ endpoints }) =>
    endpoints.map((each) => [each.name, each.addresses]),
  );
  expect(Object.fromEntries(addresses)).toEqual({
    'bastion:22': [],
    'web-server:80': [
      { host: '192.0.2.1', port: 80 },
      { host: '2001:db8::1', port: 80 },
    ],
    'r1:6379': [{ host: '192.0.2.2', port: 6379 }],
    'r2:6379': [],
    'custom-backend:9000': [],
  });
});
