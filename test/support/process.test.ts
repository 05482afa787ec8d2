/** Programs end with the tests that start them. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { expect, test } from 'vitest';
import { dyingWithUs } from './process.js';
import { eventually } from './wait.js';

test('a program that is to die with the process that started it does, when that is killed', async () => {
  const command = dyingWithUs(['sleep', '3600']);
  const starter = spawn(process.execPath, [
    '-e',
    `const [program, ...args] = ${JSON.stringify(command)};
     console.log(require('node:child_process').spawn(program, args, { detached: true }).pid);
     setInterval(() => {}, 1000);`,
  ]);
  const [said] = await once(starter.stdout, 'data');
  const folder = `/proc/${Number(said)}`;
  expect(existsSync(folder)).toBe(true);
  starter.kill('SIGKILL');
  await eventually('it to end', () => !existsSync(folder));
});
