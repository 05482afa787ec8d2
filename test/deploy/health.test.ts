/** The image's HEALTHCHECK, against servers that answer as the daemon does, otherwise, or not at all. */
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { freePort } from '../support/ports.js';
import { cleanEnvironment, runProgram } from '../support/process.js';

/** The last part of a path is the status. */
const server: Server = createServer(({ url = '' }, answer) => {
  answer.writeHead(Number(url.split('/').at(-1))).end('{}');
});
let port: number;

beforeAll(async () => {
  await once(server.listen(0, '127.0.0.1'), 'listening');
  ({ port } = server.address() as AddressInfo);
});
afterAll(() => server.close());

const check = (at: number, status: number) =>
  runProgram(process.execPath, ['packaging/docker/health.mjs'], {
    env: cleanEnvironment({ ANYPORT_HEALTH_URL: `http://127.0.0.1:${at}/${status}` }),
  });

test.each([
  [200, 0],
  [503, 1],
  [404, 1],
])('an answer %d is status %d', async (answered, status) => {
  expect(await check(port, answered)).toMatchObject({ status, stderr: '' });
});

test('nobody there is status 1, with the reason', async () => {
  const { status, stderr } = await check(await freePort(), 200);
  expect(stderr).toContain('ECONNREFUSED');
  expect(status).toBe(1);
});
