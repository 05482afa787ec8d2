/** Who shares a limit has equal parts of it, on whichever worker; others have their own. */
import { afterEach, expect, test } from 'vitest';
import { type Daemon, startDaemon } from '../../support/daemon.js';
import { listenTcp, type Upstream } from '../../support/tcp.js';
import { download, type Flow, reached, source } from './flows.js';

const RATE = 4 * 1024 * 1024;
const SESSIONS = 8;

let daemon: Daemon;
let endpoints: Upstream[] = [];
const flows: Flow[] = [];

afterEach(async () => {
  for (const flow of flows.splice(0)) flow.stop();
  await daemon.stop();
  await Promise.all(endpoints.map((endpoint) => endpoint.close()));
});

const scopes = [
  { per: 'session', limits: SESSIONS },
  { per: 'source', limits: 2 },
  { per: 'endpoint', limits: 2 },
  { per: 'upstream', limits: 1 },
] as const;

test.each(scopes)('per $per', async ({ per, limits }) => {
  endpoints = await Promise.all([listenTcp(source), listenTcp(source)]);
  // In handoff mode each worker has half of the sessions.
  daemon = await startDaemon({
    server: { workers: 2, accept: 'handoff' },
    protocols: [
      {
        name: 'Redis',
        target: { endpoints: endpoints.map(({ target }) => target), bandwidth: { down: RATE, per } },
      },
    ],
  });
  for (let n = 0; n < SESSIONS; n += 1)
    flows.push(download(daemon.port, n < SESSIONS / 2 ? '127.0.0.1' : '127.0.0.2'));
  const { inAll, best } = await reached(flows, RATE * limits);
  expect(inAll).toBeLessThanOrEqual(1.03);
  expect(best).toBeGreaterThanOrEqual(0.97);
  const bytes = flows.map((flow) => flow.bytes());
  const mean = bytes.reduce((all, each) => all + each, 0) / bytes.length;
  for (const each of bytes) expect(Math.abs(each / mean - 1)).toBeLessThan(0.1);
});
