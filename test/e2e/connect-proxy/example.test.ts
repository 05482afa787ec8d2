/** examples/connect-proxy.yaml, as its first lines say. */
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { parse } from 'yaml';
import { startDaemon } from '../../support/daemon.js';
import { freePort } from '../../support/ports.js';
import { runProgram } from '../../support/process.js';
import { basic, statusOf } from '../../support/proxy-clients.js';
import { useStage } from './stage.js';

const stage = useStage();

test('serves users, and nobody else, and leads nowhere on this machine', async () => {
  const { stdout } = await runProgram('bin/anyport', ['hash-password'], { input: 'secret\n' });
  const port = await freePort();
  const text = readFileSync('examples/connect-proxy.yaml', 'utf8');
  const daemon = await startDaemon(parse(text.replaceAll('127.0.0.1:9443', `127.0.0.1:${port}`)), {
    environment: { ALICE: stdout.trim() },
  });
  stage.later(() => daemon.stop());
  expect(await statusOf(port, 'example.com:443')).toBe(407);
  expect(await statusOf(port, '127.0.0.1:443', basic('alice', 'secret'))).toBe(403);
  expect(await statusOf(port, '93.184.215.14:22', basic('alice', 'secret'))).toBe(403);
});
