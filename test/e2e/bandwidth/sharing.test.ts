/** Who shares a limit has equal parts of it, on whichever worker; others have their own. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Daemon, startDaemon } from '../../support/daemon.js';
import { freePort } from '../../support/ports.js';
import { listenTcp, type Upstream } from '../../support/tcp.js';
import { download, type Flow, reached, source } from './flows.js';

const RATE = 4 * 1024 * 1024;
const SESSIONS = 8;

const scopes = [
  { per: 'session', limits: SESSIONS },
  { per: 'source', limits: 2 },
  { per: 'endpoint', limits: 2 },
  { per: 'upstream', limits: 1 },
] as const;
type Scope = (typeof scopes)[number]['per'];

let daemon: Daemon;
let endpoints: Upstream[] = [];
const ports = new Map<Scope, number>();
const flows: Flow[] = [];

/** A listener and an upstream for each scope: all are measured at the same time. */
beforeAll(async () => {
  endpoints = await Promise.all([listenTcp(source), listenTcp(source)]);
  const targets = endpoints.map(({ target }) => target);
  for (const { per } of scopes) ports.set(per, await freePort());
  daemon = await startDaemon({
    // In handoff mode each worker has half of the sessions.
    server: { workers: 2, accept: 'handoff' },
    protocols: [{ name: 'Redis' }],
    listeners: scopes.map(({ per }) => ({ name: per, address: `127.0.0.1:${ports.get(per)}` })),
    routes: scopes.map(({ per }) => ({ when: { listener: per }, to: per })),
    upstreams: Object.fromEntries(
      scopes.map(({ per }) => [per, { endpoints: targets, bandwidth: { down: RATE, per } }]),
    ),
  });
});

afterAll(async () => {
  for (const flow of flows) flow.stop();
  await daemon.stop();
  await Promise.all(endpoints.map((endpoint) => endpoint.close()));
});

test.concurrent.each(scopes)('per $per', async ({ per, limits }) => {
  const port = ports.get(per) as number;
  const own = Array.from({ length: SESSIONS }, (_, n) =>
    download(port, n < SESSIONS / 2 ? '127.0.0.1' : '127.0.0.2'),
  );
  flows.push(...own);
  const { inAll, best } = await reached(own, RATE * limits);
  expect(inAll).toBeLessThanOrEqual(1.03);
  expect(best).toBeGreaterThanOrEqual(0.97);
  const bytes = own.map((flow) => flow.bytes());
  const mean = bytes.reduce((all, each) => all + each, 0) / bytes.length;
  for (const each of bytes) expect(Math.abs(each / mean - 1)).toBeLessThan(0.1);
});
