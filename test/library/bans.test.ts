/** Bans by an embedding program. */
import { expect, test } from 'vitest';
import { dial } from '../support/tcp.js';
import { ANY, create, REDIS } from './anyport.js';

const BANNED = '127.0.0.7';

test.each([0, 2])('an address is banned, listed and let in again (workers: %d)', async (workers) => {
  const handler = 'builtin:redis';
  const plex = create({
    workers,
    protocols: [{ name: 'Redis', handler }],
    security: { ipWhitelist: ['10.0.0.0/8'] },
  });
  expect(plex.bans()).toEqual([]);
  expect(plex.liftBan(BANNED)).toBe(false);
  expect(() => plex.ban(BANNED)).toThrow(expect.objectContaining({ code: 'not_listening' }));
  const [front] = await plex.listen(ANY);
  const isServed = async () => {
    const client = await dial(front?.port ?? 0, BANNED).catch(() => null);
    if (client === null) return false;
    client.send(REDIS);
    const got = await Promise.race([client.bytes(1), client.end()]).catch(() => 'reset');
    client.reset();
    return typeof got !== 'string';
  };
  expect(await isServed()).toBe(true);
  const ban = plex.ban(BANNED, { for: 60_000, reason: 'a test' });
  expect(ban).toMatchObject({ address: BANNED, cause: 'operator', reason: 'a test', leftSeconds: 60 });
  expect(await isServed()).toBe(false);
  expect(plex.bans()).toMatchObject([{ address: BANNED }]);
  expect(plex.metrics().security).toMatchObject({ blocked: 1, refused: { banned: 1 }, bansActive: 1 });
  expect(plex.liftBan(BANNED)).toBe(true);
  expect(await isServed()).toBe(true);
  expect(() => plex.ban('10.1.2.3')).toThrow(expect.objectContaining({ code: 'refused' }));
  const problems = (path: string) =>
    expect.objectContaining({ code: 'invalid_config', problems: [expect.objectContaining({ path })] });
  expect(() => plex.ban('localhost')).toThrow(problems('ip'));
  expect(() => plex.liftBan('localhost')).toThrow(problems('address'));
  expect(() => plex.ban(BANNED, { for: 'soon' })).toThrow(problems('for'));
  await plex.close({ drain: 0 });
  expect(plex.bans()).toEqual([]);
});
