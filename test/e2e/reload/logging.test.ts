/** Level, format and access log change while it runs, in every thread. */
import { afterEach, beforeEach, expect, test } from 'vitest';
import { type Daemon, startDaemon } from '../../support/daemon.js';
import { redisPing } from '../../support/flights.js';
import { collect } from '../../support/process.js';
import { dial, echo, listenTcp, type Upstream } from '../../support/tcp.js';
import { eventually } from '../../support/wait.js';

let daemon: Daemon;
let upstream: Upstream;

beforeEach(async () => {
  upstream = await listenTcp(echo);
});

afterEach(async () => {
  await daemon.stop();
  await upstream.close();
});

const logging = (its: object) => ({
  protocols: [{ name: 'Redis', target: upstream.target }],
  logging: { access_log_rate: 100_000, ...its },
});

async function session(): Promise<void> {
  const client = (await dial(daemon.port)).send(redisPing).finish();
  await client.end();
}

test('the stages of sessions are shown while the level is debug, and sessions while there is an access log', async () => {
  daemon = await startDaemon(logging({}));
  await session();
  await daemon.ended(1);
  await daemon.reload(logging({ level: 'debug', access_log: false }));
  await session();
  await eventually('its last stage', () => daemon.lines.some(({ stage }) => stage === 'relay'));
  await daemon.reload(logging({ level: 'info' }));
  const before = daemon.lines.length;
  await session();
  await daemon.ended(2);
  expect(daemon.lines.slice(before).map(({ level, msg }) => `${level} ${msg}`)).toEqual(['info session']);
});

test('the level of the primary, too: errors alone are shown, and then all is again', async () => {
  daemon = await startDaemon(logging({}));
  daemon.configure(logging({ level: 'error' }));
  daemon.signal('SIGHUP');
  await daemon.metricBecomes('anyport_config_reloads_total', 1, { result: 'applied' });
  await session();
  expect(daemon.lines.filter(({ msg }) => msg === 'session')).toEqual([]);
  expect(await daemon.reload(logging({}))).toMatchObject({ level: 'info', msg: 'reloaded' });
});

test('from JSON to text for people, and back', async () => {
  daemon = await startDaemon(logging({}));
  daemon.child.stdout?.removeAllListeners('data');
  const text = collect(daemon.child.stdout as NonNullable<typeof daemon.child.stdout>);
  daemon.configure(logging({ format: 'pretty' }));
  daemon.signal('SIGHUP');
  await eventually('pretty text', () => /^\[[\d:.]+\] INFO: reloaded/m.test(text()));
  await session();
  await eventually('a pretty session', () => /→ .*: redis .*done/.test(text()));
  daemon.configure(logging({}));
  daemon.signal('SIGHUP');
  await eventually('JSON again', () => /^\{.*"msg":"reloaded"\}$/m.test(text()));
});
