/** A process that embeds anyport keeps its signals: none is heard, blocked or given another meaning. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { resolve } from 'node:path';
import { expect, test } from 'vitest';
import { freePort } from '../support/ports.js';
import { cleanEnvironment, collect } from '../support/process.js';
import { eventually } from '../support/wait.js';
import { anyport } from './anyport.js';

const program = (workers: number) => `
import { createAnyport, protocols } from ${JSON.stringify(resolve('dist/index.js'))};
const names = ['SIGUSR1', 'SIGUSR2', 'SIGHUP', 'SIGTERM', 'SIGINT', 'SIGPIPE'];
const heard = () => JSON.stringify(names.map((name) => process.listenerCount(name)));
const before = heard();
const plex = createAnyport({ workers: ${workers} });
plex.addProtocol(protocols.redis({ handler: 'builtin:redis' }));
await plex.listen('127.0.0.1:0');
console.log(before === heard() ? 'unchanged' : heard());
process.stdin.once('data', async () => {
  await plex.close();
  console.log(before === heard() ? 'unchanged' : heard());
  process.exit();
});
`;

test.each([{ workers: 0 }, { workers: 1 }])('with $workers worker threads', async ({ workers }) => {
  const port = await freePort();
  const child = spawn(
    process.execPath,
    [`--inspect-port=127.0.0.1:${port}`, '--input-type=module', '-e', program(workers)],
    { stdio: 'pipe', env: cleanEnvironment() },
  );
  const [said, complained] = [collect(child.stdout), collect(child.stderr)];
  await eventually(`it to listen ${complained()}`, () => said() === 'unchanged\n');
  // What Node does by itself is the host's choice.
  child.kill('SIGUSR1');
  await eventually('the debugger of the host', () => complained().includes(`ws://127.0.0.1:${port}`));
  child.stdin.write('end\n');
  await once(child, 'close');
  expect(said()).toBe('unchanged\nunchanged\n');
});

test('server.user and logging.file are for daemons', async () => {
  const refused = async (options: object) => {
    const plex = anyport.createAnyport(options);
    const error = await plex.listen('127.0.0.1:0').catch((thrown: unknown) => thrown);
    await plex.close();
    return JSON.stringify((error as { problems?: unknown }).problems ?? String(error));
  };
  expect(await refused({ user: 'nobody' })).toMatch(/"path":"user".*is for the daemon/);
  expect(await refused({ logging: { file: '/tmp/a.log' } })).toMatch(
    /"path":"logging.file".*is for the daemon/,
  );
});
