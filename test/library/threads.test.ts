/** The same with threads: modules instead of functions. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { runProgram } from '../support/process.js';
import { tempFolder } from '../support/temp.js';
import { ANY, anyport, ask, CUSTOM, create, HTTP, REDIS, says } from './anyport.js';

const { protocols } = anyport;

const folder = tempFolder();
afterAll(() => folder.remove());

function module(name: string, text: string): string {
  writeFileSync(join(folder.path, name), text);
  return `./${name}`;
}

const handler = module(
  'handler.mjs',
  'import { isMainThread } from "node:worker_threads"; export default (socket) => socket.end(isMainThread ? "main" : "thread");',
);
const validate = module('validator.mjs', 'export default (bytes) => (bytes.length < 3 ? "more" : "match");');

test('modules run on threads, relative to the directory', async () => {
  const plex = create({ workers: 2, directory: folder.path });
  void plex.addProtocol(protocols.http({ handler }));
  void plex.addProtocol({ name: 'Mine', startBytes: 'aa', validate, handler });
  await plex.listen(ANY);
  expect([await ask(plex, HTTP), await ask(plex, CUSTOM)]).toEqual(['thread', 'thread']);
  expect(plex.metrics().workers).toEqual({ wanted: 2, accepting: 2 });
  expect(plex.config).toMatchObject({ workers: 2, protocols: [{ handler }, { validate }] });
  await plex.addProtocol(protocols.redis({ handler: 'builtin:redis' }));
  expect(await ask(plex, `${REDIS}*1\r\n$4\r\nQUIT\r\n`)).toBe('+PONG\r\n+OK\r\n');
  expect(await plex.close()).toBe(true);
});

test('modules run on this thread too', async () => {
  const plex = create({ workers: 0, directory: folder.path });
  void plex.addProtocol(protocols.http({ handler }));
  await plex.listen(ANY);
  expect(await ask(plex, HTTP)).toBe('main');
});

test('a function is refused before anything starts, and at any change', async () => {
  const options = { workers: 2, protocols: [protocols.http({ handler: says('no') })] };
  expect(() => create(options)).toThrow(anyport.AnyportError);
  const plex = create({ workers: 'auto', directory: folder.path });
  const refused = { code: 'invalid_config', problems: [{ path: expect.stringContaining('handler') }] };
  await expect(plex.addProtocol(protocols.http({ handler: says('no') }))).rejects.toMatchObject(refused);
  void plex.addProtocol(protocols.http({ handler }));
  await plex.listen(ANY);
  await expect(plex.updateProtocol('http', { handler: says('no') })).rejects.toMatchObject(refused);
  expect(await ask(plex, HTTP)).toBe('thread');
});

test('0 and threads do not change into each other', async () => {
  const plex = create({ workers: 2 });
  await plex.listen(ANY);
  await expect(plex.updateConfig({ workers: 0 })).rejects.toMatchObject({ problems: [{ path: 'workers' }] });
});

test('in a program that is given on the command line', async () => {
  const dist = new URL('../../dist/index.js', import.meta.url).href;
  const program = `
    import { createAnyport, protocols } from ${JSON.stringify(dist)};
    const plex = createAnyport({ workers: 2, protocols: [protocols.http({ handler: 'builtin:http' })] });
    await plex.listen('${ANY}');
    console.log(plex.metrics().workers.accepting, await plex.close());`;
  const { stdout, stderr } = await runProgram(process.execPath, ['--input-type=module', '-e', program]);
  expect({ stdout, stderr }).toEqual({ stdout: '2 true\n', stderr: '' });
});

test('a handler that can not be loaded is a start that fails', async () => {
  const broken = module('broken.mjs', 'export default 5;');
  const plex = create({ workers: 1, directory: folder.path });
  void plex.addProtocol(protocols.http({ handler: broken }));
  await expect(plex.listen(ANY)).rejects.toMatchObject({
    code: 'start_failed',
    message: expect.stringContaining('broken.mjs'),
  });
  await plex.updateProtocol('http', { handler });
  await plex.listen(ANY);
  expect(await ask(plex, HTTP)).toBe('thread');
});
