import { expect, test } from 'vitest';
import { unveilSecrets, veilSecrets } from '../../src/config/secrets.js';

const running = {
  admin: { listen: ':9093', token: 'correct-horse' },
  kcp: { link: { secret: 's3cret', cipher: 'aes-128-gcm', kcptun: { key: 'it' } } },
  connect_proxy: { users: { alice: '$scrypt$1' } },
  distributed: { username: 'root', password: 'pw' },
  upstreams: {
    web: { endpoints: ['a:80'], via: 'http://user:pa%40ss@proxy:3128' },
    plain: { endpoints: ['a:80'], via: 'http://proxy:3128' },
    cache: { endpoints: ['a:6379'], health_check: { type: 'redis', user: 'check', password: 'ping-me' } },
  },
  protocols: [{ name: 'redis', target: { endpoints: ['b:6379'], health_check: { password: 'ping-too' } } }],
};
const secrets = [
  'correct-horse',
  's3cret',
  '"it"',
  'scrypt',
  '"pw"',
  'user:',
  'pa%40ss',
  'ping-me',
  'ping-too',
];

test('every secret is veiled, and nothing else', () => {
  const veiled = veilSecrets(running);
  for (const secret of secrets) expect(JSON.stringify(veiled)).not.toContain(secret);
  expect(veiled).toEqual({
    admin: { listen: ':9093', token: '***' },
    kcp: { link: { secret: '***', cipher: 'aes-128-gcm', kcptun: { key: '***' } } },
    connect_proxy: { users: { alice: '***' } },
    distributed: { username: 'root', password: '***' },
    upstreams: {
      web: { endpoints: ['a:80'], via: 'http://***@proxy:3128' },
      plain: { endpoints: ['a:80'], via: 'http://proxy:3128' },
      cache: { endpoints: ['a:6379'], health_check: { type: 'redis', user: 'check', password: '***' } },
    },
    protocols: [{ name: 'redis', target: { endpoints: ['b:6379'], health_check: { password: '***' } } }],
  });
});

test('a document that is read and sent back has its secrets', () => {
  expect(unveilSecrets(veilSecrets(running), running)).toEqual({ document: running, problems: [] });
});

test('a veil goes with its place: at another one it is no secret', () => {
  const moved = {
    kcp: { other: { secret: '***' } },
    upstreams: { web: { via: 'http://***@evil:3128' } },
    admin: { token: 'new-token' },
  };
  const { document, problems } = unveilSecrets(moved, running);
  expect(document).toEqual(moved);
  expect(problems.map(({ path }) => path).toSorted()).toEqual(['kcp.other.secret', 'upstreams.web.via']);
});

test('without secrets there is nothing to do', () => {
  const plain = { admin: { token: '' }, server: { listen: ':1' } };
  expect(veilSecrets(plain)).toEqual(plain);
  expect(unveilSecrets(plain, running)).toEqual({ document: plain, problems: [] });
});
