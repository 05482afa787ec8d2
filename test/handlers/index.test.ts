import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { handlers, loadHandler } from '../../src/handlers/index.js';
import { Pair } from './pair.js';

let directory: string;
beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'anyport-handlers-'));
});
afterAll(() => rmSync(directory, { recursive: true, force: true }));

function moduleOf(name: string, source: string): string {
  const file = join(directory, name);
  writeFileSync(file, source);
  return pathToFileURL(file).href;
}

test.each(Object.entries(handlers))('builtin:%s', async (name, handler) => {
  expect(await loadHandler(`builtin:${name}`)).toBe(handler);
});

test("a user's module serves sessions", async () => {
  const spec = moduleOf('greet.mjs', "export default (socket, s) => socket.end('hello ' + s.source);");
  const pair = await Pair.serve(await loadHandler(spec));
  expect(await pair.exchange('x')).toBe('hello 192.0.2.7:50123');
  pair.close();
});

test('what can not be a handler is refused, by name', async () => {
  await expect(loadHandler('builtin:htp')).rejects.toThrow(
    'no built-in handler "htp"; those there are: http, redis, echo',
  );
  await expect(loadHandler('builtin:toString')).rejects.toThrow('no built-in handler "toString"');
  const empty = moduleOf('empty.mjs', 'export const handler = () => {};');
  await expect(loadHandler(empty)).rejects.toThrow(`handler ${empty}: its default export must be a function`);
  const broken = moduleOf('broken.mjs', 'export default () => { not javascript');
  await expect(loadHandler(broken)).rejects.toThrow(`handler ${broken}: `);
  await expect(loadHandler(moduleOf('absent.mjs', '').replace('absent', 'missing'))).rejects.toThrow(
    'missing.mjs',
  );
});
