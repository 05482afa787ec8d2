/** `docker`: what becomes of it, and what is said of its certificates. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { Authority, authorityTools, type Identity } from '../support/authority.js';
import { describeWith } from '../support/tools.js';
import { configOf, problemsOf, type World, warningsOf } from './support.js';

const base =
  'protocols: [{ name: HTTP, target: "10.0.0.1:80" }]\nlisteners: [{ name: a, address: ":9090" }]\n';
const section = (keys: string) => `${base}docker: { ${keys} }`;
const complaints = (keys: string, world?: World) =>
  problemsOf(section(keys), world).map((line) => line.replace(/^[^ ]* /, ''));

test('an engine in another place is plain without `tls`, which a socket does not have', () => {
  expect(configOf(section('socket: "tcp://engine:2375"')).docker?.place).toEqual({
    ...{ host: 'engine', port: 2375, tls: null },
  });
  expect(complaints('tls: {}')).toEqual(['docker.tls: is for `tcp://`: leave it out']);
});

describeWith(...authorityTools)('certificates and their keys', () => {
  let authority: Authority;
  let [own, other]: Identity[] = [];
  beforeAll(async () => {
    authority = await Authority.create();
    [own, other] = [await authority.identity('DNS:a-node'), await authority.identity('DNS:a-node')];
  });
  afterAll(() => authority.remove());

  const tls = 'socket: "tcp://engine:2376", tls: { ca: c.pem, cert: c.pem, key: k.pem }';
  const world = (cert = '', key = '', isShared = false): World => ({
    keys: {
      '/etc/anyport/c.pem': { text: cert, isShared: true },
      '/etc/anyport/k.pem': { text: key, isShared },
    },
  });

  test('a pair is taken as it is', () => {
    const { cert = '', key = '' } = own ?? {};
    expect(warningsOf(section(tls), world(cert, key))).toEqual([]);
    expect(configOf(section(tls), world(cert, key)).docker?.place).toEqual({
      ...{ host: 'engine', port: 2376, tls: { ca: cert, cert, key } },
    });
  });

  test('what is not there, no pair or without its other half is refused', () => {
    expect(complaints(tls, world(own?.cert, other?.key))).toEqual([
      'docker.tls.key: is not the key of `cert`: renew both together',
    ]);
    expect(complaints('socket: "tcp://engine:2376", tls: { cert: x.pem }', world())).toEqual([
      'docker.tls.cert: needs its private `key`, too',
      'docker.tls.cert: no such file: /etc/anyport/x.pem',
    ]);
  });

  test('what has expired and what others may read is warned of', () => {
    const later = { ...world(own?.cert, own?.key, true), nowMs: Date.now() + 31 * 86_400_000 };
    expect(warningsOf(section(tls), later)).toEqual([
      expect.stringMatching(/^docker\.tls\.ca: has expired \(.* GMT\): renew it/),
      expect.stringMatching(/^docker\.tls\.cert: has expired/),
      expect.stringMatching(/^docker\.tls\.key: may be read by other users/),
    ]);
  });
});
