import { afterAll, beforeAll, expect, test } from 'vitest';
import { echo } from '../../src/handlers/echo.js';
import { Pair, readAll } from './pair.js';

let pair: Pair;
beforeAll(async () => {
  pair = await Pair.serve(echo);
});
afterAll(() => pair.close());

test('what was sent comes back, and the end after it', async () => {
  expect(await pair.exchange('one ', 'two ', '\x00\xff')).toBe(
    Buffer.from('one two \x00\xff').toString('latin1'),
  );
});

test('a client that reads late gets every byte', async () => {
  const client = await pair.connect();
  const sent = Buffer.alloc(8 << 20, 'anyport ');
  client.pause();
  client.end(sent);
  await new Promise((resolve) => setTimeout(resolve, 20));
  expect((await readAll(client)).equals(sent)).toBe(true);
});

test('a reset ends the session and nothing else', async () => {
  const client = await pair.connect();
  client.write('x'.repeat(1 << 20));
  client.resetAndDestroy();
  expect(await pair.exchange('still here')).toBe('still here');
});
