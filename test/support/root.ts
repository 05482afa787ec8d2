/** Daemons that root starts, to serve as themselves or as another user. */
import { chmodSync } from 'node:fs';
import { afterEach, beforeEach, expect } from 'vitest';
import { type Daemon, launchDaemon, type StartOptions, type TestConfig } from './daemon.js';
import { redisPing } from './flights.js';
import { GID, UID } from './rights.js';
import { dial } from './tcp.js';
import { type TempFolder, tempFolder } from './temp.js';

export const somebody = { user: UID, group: GID };
export const redis = [{ name: 'Redis', handler: 'builtin:redis' }];

/** A folder for each test that other users may read, and daemons that are stopped behind it. */
export function useDaemons() {
  let folder: TempFolder;
  const started: Daemon[] = [];
  beforeEach(() => {
    folder = tempFolder();
    chmodSync(folder.path, 0o755);
  });
  afterEach(async () => {
    for (const daemon of started.splice(0)) await daemon.stop();
    folder.remove();
  });
  return {
    get path() {
      return folder.path;
    },
    async start(config: TestConfig, options: StartOptions = {}): Promise<Daemon> {
      const daemon = await launchDaemon(config, options);
      started.push(daemon);
      await daemon.ready();
      // For reloads: by now it is another user.
      chmodSync(daemon.folder.path, 0o755);
      return daemon;
    },
  };
}

export async function answers(port: number): Promise<void> {
  const client = await dial(port);
  client.send(redisPing);
  expect(`${await client.bytes(7)}`).toBe('+PONG\r\n');
  client.reset();
}
