/** A TURN server behind a plain forward, over TCP and UDP on one port. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Daemon, startWithFlags } from '../../../support/daemon.js';
import { freePort } from '../../../support/ports.js';
import { describeWith } from '../../../support/tools.js';
import { loopbackService, type RunningService } from './services/service.js';
import { talk, turn } from './services/turn.js';

describeWith(...turn.tools)('anyport run --forward PORT/tcp+udp=HOST:PORT', () => {
  let server: RunningService;
  let daemon: Daemon;
  let port: number;
  const at = () => ({ host: '127.0.0.1', port });

  beforeAll(async () => {
    port = await freePort();
    server = await loopbackService(turn, freePort).start();
    daemon = await startWithFlags([`--forward=${port}/tcp+udp=${server.target}`], port);
  });
  afterAll(async () => {
    await daemon.stop();
    await server.stop();
  });

  test('carries TURN over UDP', () => talk(at()));

  test('and over TCP', () => talk(at(), '-t'));

  test('as sessions of one upstream', async () => {
    await daemon.cut();
    const told = daemon.sessions.map(({ upstream, endpoint }) => ({ upstream, endpoint }));
    expect(told.length).toBeGreaterThan(1);
    expect(new Set(told.map(({ upstream }) => upstream)).size).toBe(1);
    expect(new Set(told.map(({ endpoint }) => endpoint))).toEqual(new Set([server.target]));
  });
});
