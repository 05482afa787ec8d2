/** The configurations that packaging/ comes with are accepted, without a warning, and what runs containers gives them the time that they want. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { parseDuration } from '../../src/base/duration.js';
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

describe('nodes of compose', () => {
  const { services } = parse(readFileSync('packaging/compose/compose.yaml', 'utf8'), { merge: true });
  const { server } = parse(ofFile('packaging/compose/anyport/anyport.yaml')());
  const ms = (text: string) => parseDuration(text) ?? Number.NaN;

  test.each(['anyport-1', 'anyport-2'])('%s may drain to its end, and has no rights', (name) => {
    const drainMs = ms(server.drain_delay) + ms(server.graceful_shutdown_timeout);
    expect(ms(services[name].stop_grace_period)).toBeGreaterThanOrEqual(drainMs + 5000);
    expect(services[name]).toMatchObject({
      ...{ read_only: true, cap_drop: ['ALL'], security_opt: ['no-new-privileges:true'] },
    });
  });

  test('nobody else reaches their etcd', () => expect(services.etcd.ports).toBeUndefined());
});

test('the image ends before `docker stop` kills it', () => {
  const { drain_delay = '0s', graceful_shutdown_timeout } = parse(
    ofFile('packaging/docker/anyport.yaml')(),
  ).server;
  const drainMs =
    (parseDuration(drain_delay) ?? 0) + (parseDuration(graceful_shutdown_timeout) ?? Number.NaN);
  expect(drainMs).toBeLessThan(10_000);
});
