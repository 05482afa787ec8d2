/** `anyport kcp-key`: a key pair whose two halves fit. */
import { readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, expect, test } from 'vitest';
import { keyText, parseKey, parsePublicKey, publicKeyOf } from '../../src/kcp/keys.js';
import { runProgram } from '../support/process.js';
import { tempFolder } from '../support/temp.js';

const folder = tempFolder();
const file = join(folder.path, 'server.key');
afterEach(() => folder.remove());

const run = (...args: string[]) => runProgram(process.execPath, ['dist/cli/main.js', 'kcp-key', ...args]);

test('the private key is for its owner alone, the public one is printed, and a key is never overwritten', async () => {
  const { status, stdout, stderr } = await run(file);
  expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
  expect(statSync(file).mode & 0o777).toBe(0o600);
  const secret = parseKey(readFileSync(file, 'utf8').trimEnd());
  expect(secret).not.toBeNull();
  expect(stdout).toBe(`${keyText(publicKeyOf(secret as Buffer))}\n`);
  expect(parsePublicKey(stdout.trimEnd())).not.toBeNull();

  writeFileSync(file, 'kept');
  const again = await run(file, '--json');
  expect(again).toMatchObject({ status: 1, stdout: '' });
  expect(again.stderr).toContain(`${file} is there already`);
  expect(readFileSync(file, 'utf8')).toBe('kept');

  const other = join(folder.path, 'other.key');
  const json = JSON.parse((await run('--json', other)).stdout) as Record<
    'private_key_file' | 'server_key',
    string
  >;
  expect(json.private_key_file).toBe(other);
  expect(parsePublicKey(json.server_key)).not.toBeNull();
});
