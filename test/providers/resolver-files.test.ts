import { describe, expect, test } from 'vitest';
import { namesToAsk, parseHosts, parseResolverConfig } from '../../src/providers/resolver-files.js';

test('hosts: every name of a line, both families, comments and what is no address left out', () => {
  const hosts = parseHosts(`
    127.0.0.1 localhost   # this machine
    ::1\tlocalhost ip6-localhost
    10.0.0.5  Web.corp.test web
    #10.0.0.6 web
    ::ffff:300 bad:address web
    nonsense web
    fe80::1%eth0 web zoned
    10.0.0.7  web`);
  expect(Object.fromEntries(hosts)).toEqual({
    localhost: ['127.0.0.1', '::1'],
    'ip6-localhost': ['::1'],
    'web.corp.test': ['10.0.0.5'],
    'bad:address': ['::ffff:300'],
    web: ['10.0.0.5', '::ffff:300', '10.0.0.7'],
  });
});

describe('resolv.conf', () => {
  const cases = [
    { why: 'nothing said', text: '', hostname: 'here', search: [], ndots: 1 },
    {
      why: "the machine's own domain",
      text: '',
      hostname: 'here.corp.test',
      search: ['corp.test'],
      ndots: 1,
    },
    {
      why: 'a search list',
      text: 'search a.test b.test.',
      hostname: 'x.y',
      search: ['a.test', 'b.test'],
      ndots: 1,
    },
    { why: 'the last one counts', text: 'search a b\ndomain c d', hostname: 'x', search: ['c'], ndots: 1 },
    { why: 'options', text: 'options timeout:1 ndots:5 # k8s', hostname: 'x', search: [], ndots: 5 },
    { why: 'options without bounds', text: 'options ndots:999', hostname: 'x', search: [], ndots: 15 },
    {
      why: 'comments',
      text: '# search a\n; search b\nnameserver 1.1.1.1',
      hostname: 'x',
      search: [],
      ndots: 1,
    },
  ];
  test.each(cases)('$why', ({ text, hostname, search, ndots }) => {
    expect(parseResolverConfig(text, hostname)).toEqual({ search, ndots });
  });
});

describe('names to ask for', () => {
  const config = { search: ['a.test', 'b.test'], ndots: 1 };
  const cases = [
    { why: 'a short name is searched first', host: 'Web', names: ['web.a.test', 'web.b.test', 'web'] },
    {
      why: 'one with dots is asked for first',
      host: 'web.c',
      names: ['web.c', 'web.c.a.test', 'web.c.b.test'],
    },
    { why: 'one with a dot at its end is nothing else', host: 'web.', names: ['web'] },
  ];
  test.each(cases)('$why', ({ host, names }) => expect(namesToAsk(host, config)).toEqual(names));

  test('ndots', () => {
    const kubernetes = { search: ['ns.svc.cluster.local'], ndots: 5 };
    expect(namesToAsk('api.ns', kubernetes)).toEqual(['api.ns.ns.svc.cluster.local', 'api.ns']);
  });

  test('none that is too long for DNS', () => {
    expect(namesToAsk('x'.repeat(250), config)).toEqual(['x'.repeat(250)]);
  });
});
