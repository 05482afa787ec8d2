/** mosh, whose datagrams have no form that could be known, behind a plain forward. */
import { spawn } from 'node:child_process';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Daemon, startWithFlags } from '../../../support/daemon.js';
import { freePort } from '../../../support/ports.js';
import { cleanEnvironment, collect, runProgram, stopProcess } from '../../../support/process.js';
import { describeWith } from '../../../support/tools.js';
import { eventually } from '../../../support/wait.js';

const env = cleanEnvironment({ LC_ALL: 'C.UTF-8', TERM: 'xterm' });

/** Takes one client, and ends with its shell; returns the key. */
async function moshServer(port: number): Promise<string> {
  const args = ['new', '-i', '127.0.0.1', '-p', `${port}`, '--', '/bin/sh'];
  const { stdout, stderr } = await runProgram('mosh-server', args, { env });
  const key = /MOSH CONNECT \d+ (\S+)/.exec(stdout)?.[1];
  if (key === undefined) throw new Error(`mosh-server: ${stdout}${stderr}`);
  return key;
}

/** Types into a shell over mosh until that has answered, and leaves. */
async function type(key: string, port: number): Promise<void> {
  const client = `stty rows 24 cols 80; mosh-client 127.0.0.1 ${port}`;
  const child = spawn('script', ['-qfc', client, '/dev/null'], { env: { ...env, MOSH_KEY: key } });
  const said = collect(child.stdout);
  await eventually(`an answer of the shell: ${said()}`, () => {
    child.stdin.write('echo 6x7=$((6*7))\n');
    return said().includes('6x7=42');
  });
  child.stdin.write('exit\n');
  await eventually('mosh to leave', () => said().includes('mosh is exiting'));
  await stopProcess(child);
}

describeWith(
  'mosh-server',
  'mosh-client',
  'script',
)('mosh behind a forward', () => {
  let daemon: Daemon;
  let [port, target] = [0, 0];

  beforeAll(async () => {
    [port, target] = [await freePort(), await freePort()];
    daemon = await startWithFlags([`--forward=${port}/udp=127.0.0.1:${target}`], port);
  });
  afterAll(() => daemon.stop());

  test('directly: the test is right', async () => type(await moshServer(target), target));

  test('a shell', async () => {
    await type(await moshServer(target), port);
    await daemon.cut();
    expect(daemon.sessions.map(({ endpoint }) => endpoint)).toEqual([`127.0.0.1:${target}`]);
  });
});
