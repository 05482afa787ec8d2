/** Brakes on guessing passwords: for the source that guesses, not for others, and not for users who are known. */
import { beforeAll, expect, test } from 'vitest';
import { hashPassword } from '../../../src/forward-proxy/users/scrypt.js';
import { answerTo, basic, connectHead } from '../../support/proxy-clients.js';
import { dial } from '../../support/tcp.js';
import { useStage } from './stage.js';

const stage = useStage();

let users: Record<string, string>;
beforeAll(async () => {
  users = { alice: await hashPassword(Buffer.from('secret'), { ln: 14, r: 8, p: 1 }) };
});

/** Nobody listens there: 502 is for who may. */
const TARGET = '127.0.0.1:1';

/** What a client of this address gets. */
async function ask(port: number, password: string, from?: string): Promise<number> {
  const client = await dial(port, from);
  client.send(connectHead(TARGET, basic('alice', password)));
  const { status } = await answerTo(client);
  client.socket.destroy();
  return status;
}

/** Other guesses, until one is braked; how many were judged before. */
async function guessUntilBraked(port: number): Promise<number> {
  for (let count = 0; count < 30; count += 1) {
    const status = await ask(port, `guess ${count}`);
    if (status === 429) return count;
    expect(status).toBe(407);
  }
  throw new Error('30 guesses were judged');
}

test('a source that guesses is braked, and then not even the right password is looked at', async () => {
  const daemon = await stage.proxy({ users });
  expect(await guessUntilBraked(daemon.port)).toBeGreaterThanOrEqual(3);
  expect(await ask(daemon.port, 'secret')).toBe(429);
  await daemon.metricBecomes('anyport_sessions_total', 2, { reason: 'rate_limited' });
});

test('other sources are served meanwhile', async () => {
  const daemon = await stage.proxy({ users });
  await guessUntilBraked(daemon.port);
  expect(await ask(daemon.port, 'secret', '127.0.0.2')).toBe(502);
});

test('whoever has been known before is served meanwhile, from the same source too', async () => {
  const daemon = await stage.proxy({ users });
  expect(await ask(daemon.port, 'secret')).toBe(502);
  await guessUntilBraked(daemon.port);
  expect(await ask(daemon.port, 'secret')).toBe(502);
});

test('the same wrong password again and again is a client that knows no better, and not braked', async () => {
  const daemon = await stage.proxy({ users });
  for (let count = 0; count < 20; count += 1) expect(await ask(daemon.port, 'old')).toBe(407);
  expect(await ask(daemon.port, 'secret')).toBe(502);
});

test('a crowd that guesses at once is answered, all of it, and others are served beside it', async () => {
  const daemon = await stage.proxy({ users });
  const crowd = Array.from({ length: 60 }, (_, n) => ask(daemon.port, `guess ${n}`));
  const other = ask(daemon.port, 'secret', '127.0.0.2');
  const answers = await Promise.all(crowd);
  expect(answers.every((status) => [407, 429, 503].includes(status))).toBe(true);
  expect(await other).toBe(502);
});
