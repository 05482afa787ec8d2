/** The configurations that packaging/ comes with are accepted, without a warning. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { parse } from 'yaml';
import { cleanEnvironment, runProgram } from '../support/process.js';
import { tempFolder } from '../support/temp.js';

const folder = tempFolder();
afterAll(() => folder.remove());

/** What the containers have. */
const environment = { ANYPORT_NODE_ID: 'a', POD_IP: '10.0.0.5' };

const check = (file: string) =>
  runProgram(process.execPath, [resolve('dist/cli/main.js'), 'check', file], {
    env: cleanEnvironment(environment),
  });

function ofConfigMap(): string {
  const { data } = parse(readFileSync('packaging/kubernetes/configmap.yaml', 'utf8'));
  return data['anyport.yaml'];
}

const ofFile = (path: string) => () => readFileSync(path, 'utf8');

test.each([
  ['docker', ofFile('packaging/docker/anyport.yaml')],
  ['compose', ofFile('packaging/compose/anyport/anyport.yaml')],
  ['kubernetes', ofConfigMap],
])('%s', async (name, read) => {
  const file = join(folder.path, `${name}.yaml`);
  // The image has this folder; the machine of the test need not.
  writeFileSync(file, read().replaceAll('/var/lib/anyport/', `${folder.path}/`));
  const { status, stdout, stderr } = await check(file);
  expect(stdout + stderr).toMatch(/: ok, 1 listener/);
  expect(stdout + stderr).not.toContain('warning');
  expect(status).toBe(0);
});
