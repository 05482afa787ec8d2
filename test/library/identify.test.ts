/** Identification and the table by themselves, as a program that imports them. */
import { readdirSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { protocols as table } from '../../src/protocols/index.js';
import { packagesLoadedBy } from '../support/architecture.js';
import { runProgram } from '../support/process.js';
import { anyport, HTTP, REDIS, SSH } from './anyport.js';

const { identify, protocols, protocolTable } = anyport;
const bytes = (text: string) => Buffer.from(text, 'latin1');

test('says the protocol, how much decided it, and the facts', () => {
  expect(identify(bytes(SSH))).toEqual({
    protocol: 'ssh',
    verdict: 'match',
    decidedAtByte: 8,
    bytesNeeded: null,
    facts: { software: 'client' },
  });
  expect(identify(bytes(HTTP))).toMatchObject({ protocol: 'http', facts: { host: 'a.example' } });
  expect(identify(bytes('SS'))).toMatchObject({ protocol: null, verdict: 'more', bytesNeeded: 3 });
  expect(identify(bytes('\xff\xfe\xfd\xfc'.repeat(500)))).toMatchObject({ protocol: null });
});

test('segments are as they arrived, and a datagram is whole', () => {
  expect(identify([bytes('*1\r'), bytes(REDIS.slice(3))])).toMatchObject({ protocol: 'redis' });
  const query = Buffer.from('abcd01000001000000000000076578616d706c6503636f6d0000010001', 'hex');
  expect(identify(query, { transport: 'udp' })).toMatchObject({ protocol: 'dns' });
});

test('the table has every built-in, and each has its builder', () => {
  expect(protocolTable.map(({ id }) => id)).toEqual(table.map(({ id }) => id));
  expect(Object.keys(protocols)).toEqual(table.map(({ id }) => id));
  for (const { id } of protocolTable) {
    expect(protocols[id]({ target: 'a:1', priority: 2 })).toEqual({ name: id, target: 'a:1', priority: 2 });
    expect(protocols[id]()).toEqual({ name: id });
  }
  expect(protocolTable.find(({ id }) => id === 'websocket')).toMatchObject({
    refines: 'http',
    transports: ['tcp'],
    source: expect.stringContaining('RFC 6455'),
  });
});

test('neither addon nor schema is loaded for it', async () => {
  const dist = new URL('../../dist/index.js', import.meta.url).href;
  const program = `
    import { readFileSync } from 'node:fs';
    import { createAnyport, identify } from ${JSON.stringify(dist)};
    createAnyport({ maxConnections: 5 });
    const { protocol } = identify(Buffer.from('SSH-2.0-a\\r\\n'));
    const addon = readFileSync('/proc/self/maps', 'utf8').includes('anyport.node');
    console.log(JSON.stringify({ protocol, addon, resources: process.getActiveResourcesInfo() }));`;
  const { stdout } = await runProgram(process.execPath, ['--input-type=module', '-e', program]);
  const { resources, ...said } = JSON.parse(stdout);
  expect(said).toEqual({ protocol: 'ssh', addon: false });
  for (const each of ['Timeout', 'MessagePort', 'TCPServerWrap']) expect(resources).not.toContain(each);
});

test('neither by its modules', () => {
  const files = readdirSync('src', { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts'))
    .map((name) => ({ path: `src/${name}`, text: readFileSync(`src/${name}`, 'utf8') }));
  const packages = packagesLoadedBy('src/index.ts', files);
  expect(packages).toContain('pino');
  expect(['zod', 'yaml', 'piscina', 'prom-client', 'commander'].filter((name) => packages.has(name))).toEqual(
    [],
  );
});

test('what the index loads is what the package says', () => {
  const { exports, types } = JSON.parse(readFileSync('package.json', 'utf8'));
  expect(exports['.']).toEqual({ types: './dist/index.d.ts', default: './dist/index.js' });
  expect(types).toBe('./dist/index.d.ts');
});
