/** What fails of a connection to etcd: what is told of it, and how often. */
import { expect, test } from 'vitest';
import { EtcdFailure } from '../../src/cluster/etcd/failure.js';
import { Troubles, troubleLimits } from '../../src/cluster/troubles.js';

const failure = (kind: 'unreachable' | 'late' | 'untrusted', words: string, member = 'a:2379') =>
  new EtcdFailure(kind, `etcd at ${member}: ${words}`);

function troublesOf() {
  const told: string[] = [];
  const troubles = new Troubles({
    onFailure: (what, error) => told.push(`${what}: ${error}`),
    onRecovery: () => told.push('recovered'),
  });
  return { told, troubles };
}

test('parts that fail are one outage, told once, until none does; members and ways in which nobody answers do not matter', () => {
  const { told, troubles } = troublesOf();
  troubles.begin('services', failure('unreachable', 'socket hang up'));
  troubles.begin('nodes', failure('unreachable', 'connect ECONNREFUSED'));
  troubles.begin('services', failure('late', 'no answer within 3.0 s', 'b:2379'));
  expect(troubles.first).toEqual({ what: 'services', error: 'etcd at b:2379: no answer within 3.0 s' });
  troubles.end('services');
  expect(troubles.first?.what).toBe('nodes');
  troubles.end('nodes');
  troubles.end('nodes');
  expect(told).toEqual(['services: etcd at a:2379: socket hang up', 'recovered']);
  expect([troubles.outages, troubles.first]).toEqual([1, null]);
  troubles.begin('nodes', failure('late', 'no leader'));
  expect([troubles.outages, told.length]).toEqual([2, 3]);
});

test('another reason in an outage is told, once for all members', () => {
  const { told, troubles } = troublesOf();
  troubles.begin('services', failure('unreachable', 'connect ECONNREFUSED'));
  for (const member of ['a:2379', 'b:2379', 'a:2379'])
    troubles.begin('services', failure('untrusted', 'its certificate has expired', member));
  troubles.begin('registration', new Error('another node has the id'));
  expect(told).toEqual([
    'services: etcd at a:2379: connect ECONNREFUSED',
    'services: etcd at a:2379: its certificate has expired',
    'registration: another node has the id',
  ]);
  expect(troubles.outages).toBe(1);
});

test('reasons that are always new are told up to a limit', () => {
  const { told, troubles } = troublesOf();
  for (let each = 0; each < 100; each += 1) troubles.begin('services', new Error(`${each}`));
  expect(told).toHaveLength(troubleLimits.reasonsTold);
  expect(troubles.first?.error).toBe('99');
});
