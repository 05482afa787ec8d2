/** `anyport kcp-key`: makes the key pair of a server of reliable UDP. */
import { writeFileSync } from 'node:fs';
import type { Command } from 'commander';
import { jsonLine } from '../../base/text.js';
import { keyText, publicKeyOf } from '../../kcp/keys.js';
import { randomSecret } from '../../kcp/x25519.js';
import { FAILED, Failure } from '../failure.js';

/** For its owner alone. */
const MODE = 0o600;

export function addKcpKey(program: Command): void {
  program
    .command('kcp-key')
    .description(
      'make a key pair for links of reliable UDP: the private key goes to FILE, for `private_key_file` at the server, the public one is printed, for `server_key` at its clients',
    )
    .argument('<file>', 'where to write the private key; it must not exist')
    .option('--json', 'print JSON')
    .action(kcpKey);
}

function kcpKey(file: string, { json }: { json?: boolean }): void {
  const secret = randomSecret();
  try {
    writeFileSync(file, `${keyText(secret)}\n`, { mode: MODE, flag: 'wx' });
  } catch (error) {
    throw new Failure(messageOf(error as NodeJS.ErrnoException, file), FAILED);
  }
  const serverKey = keyText(publicKeyOf(secret));
  process.stdout.write(json ? jsonLine({ private_key_file: file, server_key: serverKey }) : `${serverKey}\n`);
}

function messageOf({ code, message }: NodeJS.ErrnoException, file: string): string {
  return code === 'EEXIST'
    ? `${file} is there already, and a key in it would be lost: name another file, or remove it`
    : `the key can not be written: ${message}`;
}
