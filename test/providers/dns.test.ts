import { describe, expect, test } from 'vitest';
import type { Discovery, UpstreamConfig } from '../../src/model/config.js';
import { createDnsProvider, dnsLimits, wishesOf } from '../../src/providers/dns.js';
import type { ServiceRecord } from '../../src/providers/service-records.js';
import { FakeClock, settled } from '../base/fake-clock.js';
import { optionsWith } from '../support/plan.js';

type Dns = UpstreamConfig['options']['dns'];

function upstream(dns: number | Partial<Dns>, ...hosts: string[]): UpstreamConfig {
  const written = typeof dns === 'number' ? { refresh: dns } : dns;
  const endpoints = hosts.map((host) => ({
    name: `${host}:80`,
    address: addressOf(host),
    weight: 1,
    backup: false,
  }));
  return {
    name: 'web',
    handler: null,
    endpoints,
    via: null,
    options: { ...optionsWith(), dns: { ...optionsWith().dns, ...written } },
  };
}

function addressOf(text: string): UpstreamConfig['endpoints'][number]['address'] {
  if (text.startsWith('/')) return { path: text };
  return text.startsWith('_') ? { service: text } : { host: text, port: 80 };
}

/** Host → addresses. */
type Known = ReadonlyMap<string, readonly string[]>;

const knownIn = ({ hosts }: Discovery): Known =>
  new Map([...hosts].map(([host, { value }]) => [host, value]));

class Names {
  readonly clock = new FakeClock();
  readonly warnings: object[] = [];
  readonly news: object[] = [];
  readonly changes: Known[] = [];
  /** The newest Discovery that was told. */
  latest: Discovery | undefined;
  ttlMs: number | null = null;
  services: Record<string, readonly ServiceRecord[]> = {};
  readonly asked: string[] = [];
  answers: Record<string, readonly string[] | Error | 'silence'> = {};
  /** Resolves look-ups that hang. */
  readonly #silent: ((answer: readonly string[] | Error) => void)[] = [];
  cancelled = 0;

  provider(...upstreams: UpstreamConfig[]) {
    return createDnsProvider(upstreams, {
      clock: this.clock,
      warn: (fields) => this.warnings.push(fields),
      info: (fields, message) => this.news.push({ ...fields, message }),
      lookup: async (host) => ({ value: await this.#lookup(host), ttlMs: this.ttlMs }),
      lookupService: async (name) => {
        const value = this.services[name];
        if (value === undefined) throw new Error('ENOTFOUND');
        return { value, ttlMs: null };
      },
      cancel: () => {
        this.cancelled += 1;
      },
    });
  }

  /** Answers the hanging look-ups. */
  async answer(answer: readonly string[] | Error): Promise<void> {
    for (const settle of this.#silent.splice(0)) settle(answer);
    await settled();
  }

  async start(...upstreams: UpstreamConfig[]): Promise<Known> {
    return knownIn(await this.provider(...upstreams).start((known) => this.hear(known)));
  }

  hear(known: Discovery): void {
    this.latest = known;
    this.changes.push(knownIn(known));
  }

  async #lookup(host: string): Promise<readonly string[]> {
    this.asked.push(host);
    const answer = this.answers[host] ?? new Error('ENOTFOUND');
    if (answer === 'silence') {
      return new Promise((resolve, reject) => {
        this.#silent.push((late) => (late instanceof Error ? reject(late) : resolve(late)));
      });
    }
    if (answer instanceof Error) throw answer;
    return answer;
  }
}

describe('dns provider', () => {
  test('asks for names only, each once, as often as the hastiest upstream wants', () => {
    const { hosts } = wishesOf([
      upstream(30_000, 'web.test', '10.0.0.1', '::1', '/run/a.sock'),
      upstream(5000, 'web.test'),
    ]);
    expect([...hosts]).toEqual([['web.test', { refreshMs: 5000, byTtl: false }]]);
  });

  test('names that change together are told together', async () => {
    const names = new Names();
    const hosts = Array.from({ length: 100 }, (_, n) => `n${n}.test`);
    await names.start(upstream(30_000, ...hosts));
    names.answers = Object.fromEntries(hosts.map((host) => [host, ['10.0.0.1']]));
    await names.clock.pass(30_000 + dnsLimits.gatherMs);
    expect(names.changes.map((known) => known.size)).toEqual([100]);
  });

  test('what does not resolve at first is a warning, and is found later', async () => {
    const names = new Names();
    names.answers = { 'a.test': ['10.0.0.1'] };
    expect([...(await names.start(upstream(30_000, 'a.test', 'b.test')))]).toEqual([
      ['a.test', ['10.0.0.1']],
    ]);
    expect(names.warnings).toEqual([{ host: 'b.test', error: 'ENOTFOUND', keeping: 0 }]);
    names.answers['b.test'] = ['10.0.0.2'];
    await names.clock.pass(30_000 + dnsLimits.gatherMs);
    expect(names.changes.map((known) => [...known.keys()])).toEqual([['a.test', 'b.test']]);
  });

  test('the same addresses in another order are no change; others are', async () => {
    const names = new Names();
    names.answers = { 'a.test': ['10.0.0.1', '10.0.0.2'] };
    await names.start(upstream(30_000, 'a.test'));
    names.answers = { 'a.test': ['10.0.0.2', '10.0.0.1', '10.0.0.1'] };
    await names.clock.pass(30_000 + dnsLimits.gatherMs);
    expect(names.changes).toEqual([]);
    names.answers = { 'a.test': ['10.0.0.3', '10.0.0.1', '10.0.0.1'] };
    await names.clock.pass(30_000 + dnsLimits.gatherMs);
    expect(names.changes.map((known) => known.get('a.test'))).toEqual([['10.0.0.3', '10.0.0.1']]);
  });

  test('other addresses and the end of an outage are told, once each', async () => {
    const names = new Names();
    names.answers = { 'a.test': ['10.0.0.1'] };
    await names.start(upstream(30_000, 'a.test'));
    await names.clock.pass(60_000);
    expect(names.news).toEqual([]);
    names.answers = { 'a.test': ['10.0.0.2'] };
    await names.clock.pass(60_000);
    const changed = { host: 'a.test', addresses: ['10.0.0.2'], message: 'name has other addresses' };
    expect(names.news.splice(0)).toEqual([changed]);
    names.answers = {};
    await names.clock.pass(60_000);
    expect(names.news).toEqual([]);
    names.answers = { 'a.test': ['10.0.0.3'] };
    await names.clock.pass(60_000);
    expect(names.news).toEqual([{ host: 'a.test', addresses: ['10.0.0.3'], message: 'name resolves again' }]);
  });

  test.each([
    { why: 'an error', answer: new Error('SERVFAIL'), error: 'SERVFAIL' },
    { why: 'an empty answer', answer: [], error: 'no addresses' },
    { why: 'no answer in time', answer: 'silence' as const, error: 'no answer in time' },
  ])('the last good set is kept on $why', async ({ answer, error }) => {
    const names = new Names();
    names.answers = { 'a.test': ['10.0.0.1'] };
    await names.start(upstream(30_000, 'a.test'));
    names.answers = { 'a.test': answer };
    await names.clock.pass(30_000 + dnsLimits.lookupTimeMsMax);
    expect(names.changes).toEqual([]);
    expect(names.warnings).toEqual([{ host: 'a.test', error, keeping: 1 }]);
    names.answers = { 'a.test': ['10.0.0.9'] };
    await names.answer(new Error('ETIMEOUT'));
    await names.clock.pass(30_000 + dnsLimits.gatherMs);
    expect(names.changes.map((known) => known.get('a.test'))).toEqual([['10.0.0.9']]);
  });

  test('a name that fails and fails is told once, until it has resolved', async () => {
    const names = new Names();
    await names.start(upstream(1000, 'a.test'));
    await names.clock.pass(10_000);
    expect(names.warnings).toHaveLength(1);
    names.answers = { 'a.test': ['10.0.0.1'] };
    await names.clock.pass(1000);
    names.answers = {};
    await names.clock.pass(10_000);
    expect(names.warnings).toHaveLength(2);
  });

  test('a resolver that never answers holds nothing up for ever', async () => {
    const names = new Names();
    names.answers = { 'a.test': 'silence' };
    const started = names.start(upstream(30_000, 'a.test'));
    await names.clock.pass(dnsLimits.lookupTimeMsMax);
    expect((await started).size).toBe(0);
    expect(names.asked).toHaveLength(1);
  });

  test('no configured interval makes it spin', async () => {
    const names = new Names();
    await names.start(upstream(0, 'a.test'));
    await names.clock.pass(10 * dnsLimits.refreshMsMin);
    expect(names.asked).toHaveLength(11);
  });

  test('once stopped it asks no more', async () => {
    const names = new Names();
    names.answers = { 'a.test': ['10.0.0.1'] };
    const provider = names.provider(upstream(30_000, 'a.test'));
    await provider.start((known) => names.hear(known));
    provider.stop();
    await names.clock.pass(120_000);
    expect(names.asked).toHaveLength(1);
  });

  test('look-ups that hang do not pile up, and a late answer is used', async () => {
    const names = new Names();
    names.answers = { 'a.test': 'silence' };
    const started = names.start(upstream(1000, 'a.test'));
    await names.clock.pass(600_000);
    expect((await started).size).toBe(0);
    expect(names.asked).toHaveLength(1);
    expect(names.warnings).toHaveLength(1);
    await names.answer(['10.0.0.1']);
    await names.clock.pass(dnsLimits.gatherMs);
    expect(names.changes.map((known) => known.get('a.test'))).toEqual([['10.0.0.1']]);
    expect(names.asked).toHaveLength(2);
  });

  test('a name that does not resolve is asked for again soon, then less and less often', async () => {
    const names = new Names();
    await names.start(upstream(30_000, 'a.test'));
    const at: number[] = [];
    for (let second = 1; second <= 100; second++) {
      await names.clock.pass(1000);
      if (names.asked.length > at.length + 1) at.push(second);
    }
    expect(at).toEqual([1, 3, 7, 15, 31, 61, 91]);
  });

  test('told to stop, it starts with what is known, and look-ups are ended', async () => {
    const names = new Names();
    names.answers = { 'a.test': ['10.0.0.1'], 'b.test': 'silence' };
    const provider = names.provider(upstream(30_000, 'a.test', 'b.test'));
    const started = provider.start((known) => names.hear(known));
    await settled();
    provider.stop();
    expect([...knownIn(await started).keys()]).toEqual(['a.test']);
    expect(names.cancelled).toBe(1);
    await names.answer(new Error('ECANCELLED'));
    await names.clock.pass(60_000);
    expect({ asked: names.asked, warnings: names.warnings }).toEqual({
      asked: ['a.test', 'b.test'],
      warnings: [],
    });
  });
});

describe('another configuration', () => {
  async function start(...upstreams: UpstreamConfig[]) {
    const names = new Names();
    names.answers = { 'a.test': ['10.0.0.1'], 'b.test': ['10.0.0.2'] };
    const provider = names.provider(...upstreams);
    await provider.start((known) => names.hear(known));
    return { names, provider };
  }

  test('new names are looked up before it counts, known ones are not, and no change is told', async () => {
    const { names, provider } = await start(upstream(30_000, 'a.test'));
    const discovery = await provider.include([upstream(30_000, 'a.test', 'b.test')]);
    expect(Object.fromEntries(knownIn(discovery))).toEqual({
      'a.test': ['10.0.0.1'],
      'b.test': ['10.0.0.2'],
    });
    expect(names.asked).toEqual(['a.test', 'b.test']);
    await names.clock.pass(dnsLimits.gatherMs);
    expect({ changes: names.changes, news: names.news }).toEqual({ changes: [], news: [] });
  });

  test('a name that hangs is waited for no longer than at a start; its late answer is a change', async () => {
    const { names, provider } = await start(upstream(30_000, 'a.test'));
    names.answers['b.test'] = 'silence';
    const included = provider.include([upstream(30_000, 'a.test', 'b.test')]);
    await names.clock.pass(dnsLimits.lookupTimeMsMax);
    expect([...knownIn(await included).keys()]).toEqual(['a.test']);
    await names.answer(['10.0.0.9']);
    await names.clock.pass(dnsLimits.gatherMs);
    expect(names.changes.map((known) => known.get('b.test'))).toEqual([['10.0.0.9']]);
  });

  test('names that are gone are asked for no more, and a late answer is not kept', async () => {
    const { names, provider } = await start(upstream(30_000, 'a.test', 'b.test'));
    names.answers['b.test'] = 'silence';
    await names.clock.pass(30_000);
    provider.retain([upstream(30_000, 'a.test')]);
    await names.answer(['10.0.0.9']);
    names.asked.length = 0;
    names.answers['a.test'] = ['10.0.0.7'];
    await names.clock.pass(60_000 + dnsLimits.gatherMs);
    expect(new Set(names.asked)).toEqual(new Set(['a.test']));
    expect(names.changes.map((known) => Object.fromEntries(known))).toEqual([{ 'a.test': ['10.0.0.7'] }]);
    expect(names.warnings).toEqual([]);
  });

  test('a change while names are being looked up is told, whatever becomes of the configuration', async () => {
    const { names, provider } = await start(upstream(1000, 'a.test'));
    names.answers['b.test'] = 'silence';
    const included = provider.include([upstream(1000, 'a.test', 'b.test')]);
    names.answers['a.test'] = ['10.0.0.7'];
    await names.clock.pass(dnsLimits.lookupTimeMsMax);
    await included;
    provider.retain([upstream(1000, 'a.test')]);
    expect(names.changes.map((known) => Object.fromEntries(known))).toEqual([{ 'a.test': ['10.0.0.7'] }]);
  });

  test('how often names are asked for follows it', async () => {
    const { names, provider } = await start(upstream(30_000, 'a.test'));
    await provider.include([upstream(1000, 'a.test')]);
    provider.retain([upstream(1000, 'a.test')]);
    await names.clock.pass(33_000);
    expect(names.asked).toHaveLength(5);
  });
});

test('of very many addresses the same few are kept, in whatever order they come', async () => {
  const names = new Names();
  const many = Array.from({ length: 40 }, (_, index) => `10.0.0.${index}`);
  names.answers = { web: many };
  const discovery = await names.start(upstream(1000, 'web'));
  expect(discovery.get('web')).toHaveLength(dnsLimits.addressesMax);
  names.answers = { web: many.toReversed() };
  await names.clock.pass(1000);
  expect(names.asked).toHaveLength(2);
  expect(names.changes).toEqual([]);
});

describe('by time to live', () => {
  test('a name is asked for again when its records have run out', async () => {
    const names = new Names();
    names.answers = { 'a.test': ['10.0.0.1'] };
    names.ttlMs = 7000;
    await names.start(upstream({ refresh: 'ttl' }, 'a.test'));
    await names.clock.pass(6999);
    expect(names.asked).toHaveLength(1);
    await names.clock.pass(1);
    expect(names.asked).toHaveLength(2);
  });

  test.each([
    { why: 'none', ttlMs: null, asked: 1 + 4 },
    { why: '0', ttlMs: 0, asked: 1 + 120 },
    { why: 'ten years', ttlMs: 10 * 365 * 86_400_000, asked: 1 },
  ])('a time to live: $why', async ({ ttlMs, asked }) => {
    const names = new Names();
    names.answers = { 'a.test': ['10.0.0.1'] };
    names.ttlMs = ttlMs;
    await names.start(upstream({ refresh: 'ttl' }, 'a.test'));
    await names.clock.pass(120_000);
    expect(names.asked).toHaveLength(asked);
  });

  test('an interval of another upstream holds too: whichever is sooner', async () => {
    const names = new Names();
    names.answers = { 'a.test': ['10.0.0.1'] };
    names.ttlMs = 20_000;
    await names.start(upstream({ refresh: 'ttl' }, 'a.test'), upstream(30_000, 'a.test'));
    await names.clock.pass(60_000);
    expect(names.asked).toHaveLength(4);
  });
});

describe('keep_last_good: false', () => {
  test('an outage is told, so that no session goes there, and so is its end', async () => {
    const names = new Names();
    names.answers = { 'a.test': ['10.0.0.1'] };
    await names.start(upstream({ refresh: 10_000, keep_last_good: false }, 'a.test'));
    const failing = () => names.latest?.hosts.get('a.test');
    names.answers = {};
    await names.clock.pass(10_000 + dnsLimits.gatherMs);
    expect(failing()).toEqual({ value: ['10.0.0.1'], failing: true });
    names.answers = { 'a.test': ['10.0.0.1'] };
    await names.clock.pass(20_000);
    expect(failing()).toEqual({ value: ['10.0.0.1'], failing: false });
  });
});

describe('flapping', () => {
  test('a name that changes all the time makes fewer and fewer Plans, and a quiet one is quick again', async () => {
    const names = new Names();
    let n = 0;
    const flap = () => {
      n += 1;
      names.answers = { 'a.test': [`10.0.${n >> 8}.${n & 255}`] };
    };
    flap();
    await names.start(upstream(1000, 'a.test'));
    const counts: number[] = [];
    for (let minute = 0; minute < 4; minute += 1) {
      const before = names.changes.length;
      for (let second = 0; second < 60; second += 1) {
        flap();
        await names.clock.pass(1000);
      }
      counts.push(names.changes.length - before);
    }
    expect(counts[0]).toBeLessThan(10);
    expect(counts.slice(1).every((count) => count <= 2)).toBe(true);
    await names.clock.pass(10 * dnsLimits.gatherMsMax);
    const before = names.changes.length;
    flap();
    await names.clock.pass(1000 + dnsLimits.gatherMs);
    expect(names.changes.length - before).toBe(1);
    expect(names.changes.at(-1)?.get('a.test')).toEqual([`10.0.${n >> 8}.${n & 255}`]);
  });
});

test('look-ups in flight are bounded; the rest wait their turn and are answered', async () => {
  const names = new Names();
  const hosts = Array.from({ length: dnsLimits.lookupsMax + 50 }, (_, index) => `n${index}.test`);
  names.answers = Object.fromEntries(hosts.map((host) => [host, 'silence' as const]));
  const started = names.start(upstream(30_000, ...hosts));
  await settled();
  expect(names.asked).toHaveLength(dnsLimits.lookupsMax);
  await names.answer(['10.0.0.1']);
  expect(names.asked).toHaveLength(hosts.length);
  await names.answer(['10.0.0.2']);
  expect((await started).size).toBe(hosts.length);
});

describe('services', () => {
  const NAME = '_redis._tcp.test';
  const of = (...targets: string[]) => targets.map((name) => ({ name, port: 6379, priority: 0, weight: 1 }));

  async function start(...targets: string[]) {
    const names = new Names();
    names.services = { [NAME]: of(...targets) };
    names.answers = { 'a.test': ['10.0.0.1'], 'b.test': ['10.0.0.2'], 'c.test': ['10.0.0.3'] };
    const provider = names.provider(upstream(10_000, NAME));
    const first = await provider.start((known) => names.hear(known));
    return { names, provider, first };
  }

  const endpointsIn = (discovery: Discovery | undefined) =>
    discovery?.services.get(NAME)?.value.map(({ name }) => name);

  test('its endpoints, and the addresses of their hosts, are there from the start', async () => {
    const { first } = await start('b.test', 'a.test');
    expect(endpointsIn(first)).toEqual(['a.test:6379', 'b.test:6379']);
    expect(Object.fromEntries(knownIn(first))).toEqual({ 'a.test': ['10.0.0.1'], 'b.test': ['10.0.0.2'] });
  });

  test('another target is told once its address is known, and one that is gone is asked for no more', async () => {
    const { names } = await start('a.test', 'b.test');
    names.services = { [NAME]: of('c.test', 'a.test') };
    await names.clock.pass(10_000 + dnsLimits.gatherMs);
    expect(endpointsIn(names.latest)).toEqual(['a.test:6379', 'c.test:6379']);
    expect([...(names.latest?.hosts.keys() ?? [])].sort()).toEqual(['a.test', 'c.test']);
    names.asked.length = 0;
    await names.clock.pass(30_000);
    expect(new Set(names.asked)).toEqual(new Set(['a.test', 'c.test']));
  });

  test('the last good endpoints are kept in an outage, which is told once', async () => {
    const { names } = await start('a.test');
    names.services = {};
    await names.clock.pass(60_000);
    expect(names.warnings).toEqual([{ host: `srv:${NAME}`, error: 'ENOTFOUND', keeping: 1 }]);
    expect(names.changes).toEqual([]);
    names.services = { [NAME]: of('a.test', 'b.test') };
    await names.clock.pass(60_000);
    expect(endpointsIn(names.latest)).toEqual(['a.test:6379', 'b.test:6379']);
  });

  test('a service that comes with a reload is known before it counts; one that goes takes its hosts along', async () => {
    const { names, provider } = await start('a.test');
    const other = '_db._tcp.test';
    names.services[other] = of('b.test');
    const discovery = await provider.include([upstream(10_000, NAME, other)]);
    expect(discovery.services.get(other)?.value.map(({ name }) => name)).toEqual(['b.test:6379']);
    expect(discovery.hosts.get('b.test')?.value).toEqual(['10.0.0.2']);
    provider.retain([upstream(10_000, other)]);
    names.asked.length = 0;
    await names.clock.pass(30_000);
    expect(new Set(names.asked)).toEqual(new Set(['b.test']));
  });
});
