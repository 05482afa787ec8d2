/** Values of services as endpoints: what is read, and what is refused by name. */
import { describe, expect, test } from 'vitest';
import type { KeyValue } from '../../src/cluster/etcd/wire.js';
import { parseInstance, readServices, serviceLimits } from '../../src/cluster/services.js';

const rules = { prefix: '/anyport', allowLoopback: false };
const item = (path: string, value: string | Buffer): KeyValue => ({
  key: `/anyport/services/${path}`,
  value: Buffer.from(value as string),
  modRevision: 1,
});
const at = (address: string, more: object = {}): string => JSON.stringify({ address, ...more });

describe('an instance', () => {
  test('is an endpoint with weight and meta', () => {
    const value = at('10.0.0.5:8080', { weight: 3, meta: { zone: 'a' }, unknown: [1] });
    const parsed = parseInstance('/anyport/services/web/one', Buffer.from(value), rules);
    expect(parsed).toEqual({
      instance: {
        service: 'web',
        name: 'one',
        endpoint: { name: '10.0.0.5:8080', host: '10.0.0.5', port: 8080, weight: 3, backup: false },
        meta: { zone: 'a' },
      },
    });
  });

  const refused: { why: string; path?: string; value: string | Buffer; fault: string }[] = [
    { why: 'no service', path: 'web', value: at('10.0.0.1:1'), fault: 'expected a key such as' },
    { why: 'deeper', path: 'web/a/b', value: at('10.0.0.1:1'), fault: 'expected a key such as' },
    { why: 'a name with a path', path: '../a', value: at('10.0.0.1:1'), fault: 'expected a key such as' },
    { why: 'a name of bytes', path: 'web/\\xff', value: at('10.0.0.1:1'), fault: 'expected a key such as' },
    { why: 'empty', value: '', fault: 'no JSON' },
    { why: 'binary', value: Buffer.from([0xff, 0xfe]), fault: 'no UTF-8' },
    { why: 'a list', value: '[]', fault: 'no JSON object' },
    { why: 'huge', value: at('10.0.0.1:1', { x: 'x'.repeat(20_000) }), fault: '16384 are allowed' },
    { why: 'deep', value: '['.repeat(16_000), fault: 'no JSON' },
    { why: 'no address', value: '{}', fault: 'address: expected' },
    { why: 'no port', value: at('10.0.0.1'), fault: 'address: expected' },
    { why: 'a number', value: '{"address":5}', fault: 'address: expected' },
    { why: 'a Unix socket', value: at('unix:/run/docker.sock'), fault: 'address: expected' },
    { why: 'records', value: at('srv:_a._tcp.b.c'), fault: 'address: expected' },
    { why: 'a name', value: at('web.internal:80'), fault: 'got the name `web.internal`' },
    { why: 'loopback', value: at('127.0.0.1:80'), fault: 'a loopback address' },
    { why: 'loopback in IPv6', value: at('[::1]:80'), fault: 'a loopback address' },
    { why: 'loopback, mapped', value: at('[::ffff:127.0.0.1]:80'), fault: 'a loopback address' },
    { why: 'metadata', value: at('169.254.169.254:80'), fault: 'an address of a link or of cloud metadata' },
    { why: 'metadata in IPv6', value: at('[fd00:ec2::254]:80'), fault: 'an address of a link' },
    { why: 'any', value: at('0.0.0.0:80'), fault: 'no address of a host' },
    { why: 'multicast', value: at('224.0.0.1:80'), fault: 'no address of a host' },
    { why: 'a negative weight', value: at('10.0.0.1:1', { weight: -1 }), fault: 'weight: expected' },
    { why: 'a weight as text', value: at('10.0.0.1:1', { weight: '1' }), fault: 'weight: expected' },
    { why: 'a heavy one', value: at('10.0.0.1:1', { weight: 1e9 }), fault: 'weight: expected' },
    { why: 'meta of numbers', value: at('10.0.0.1:1', { meta: { a: 1 } }), fault: 'meta: expected' },
    { why: 'a newline in meta', value: at('10.0.0.1:1', { meta: { a: 'x\ny' } }), fault: 'meta: expected' },
  ];
  test.each(refused)('is refused, and the rest goes on: $why', ({ path = 'web/bad', value, fault }) => {
    const read = readServices([item(path, value), item('web/good', at('10.9.9.9:1'))], rules);
    expect(read.faults).toHaveLength(1);
    expect(read.faults[0]).toContain(fault);
    expect(read.faults[0]).toMatch(/^\/anyport\/services\//);
    expect(read.services.get('web')?.map(({ name }) => name)).toEqual(['good']);
  });

  test('may be on this machine where that is allowed, and never at metadata', () => {
    const items = [item('web/a', at('127.0.0.1:80')), item('web/b', at('169.254.169.254:80'))];
    const read = readServices(items, { ...rules, allowLoopback: true });
    expect(read.services.get('web')?.map(({ name }) => name)).toEqual(['a']);
    expect(read.faults).toHaveLength(1);
  });
});

describe('services', () => {
  test('do not depend on the order of their keys', () => {
    const items = [
      item('b/1', at('10.0.0.3:1')),
      item('a/2', at('10.0.0.2:1')),
      item('a/1', at('10.0.0.1:1')),
    ];
    const names = (list: KeyValue[]) =>
      [...readServices(list, rules).services.values()].flat().map(({ endpoint }) => endpoint.name);
    expect(names(items)).toEqual(['10.0.0.1:1', '10.0.0.2:1', '10.0.0.3:1']);
    expect(names(items.toReversed())).toEqual(names(items));
  });

  test('two instances at one address: the first by name', () => {
    const read = readServices([item('a/2', at('10.0.0.1:1')), item('a/1', at('10.0.0.1:1'))], rules);
    expect(read.services.get('a')?.map(({ name }) => name)).toEqual(['1']);
    expect(read.faults[0]).toContain('instance `1` has the address 10.0.0.1:1 already');
  });

  test('have a bounded number of instances', () => {
    const count = serviceLimits.instancesMax + 2;
    const items = Array.from({ length: count }, (_, index) =>
      item(`a/i${index}`, at(`10.0.0.1:${index + 1}`)),
    );
    const read = readServices(items, rules);
    expect(read.services.get('a')).toHaveLength(serviceLimits.instancesMax);
    expect(read.faults).toHaveLength(2);
  });
});
