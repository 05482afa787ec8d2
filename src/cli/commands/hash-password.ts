/** `anyport hash-password`: the hash of a password, for users of `connect_proxy`. */
import type { Command } from 'commander';
import { hashPassword, userNameFault } from '../../forward-proxy/users/index.js';
import { BAD_USAGE, Failure } from '../failure.js';
import { readPassword } from '../password.js';

/** Binary logarithms of N: `r` and `p` are 8 and 1. */
const COSTS = { min: 14, byDefault: 15, max: 16 } as const;

export function addHashPassword(program: Command): void {
  program
    .command('hash-password')
    .description(
      'hash a password with scrypt, for `connect_proxy.users`: it is asked for, or read from standard input',
    )
    .option('--name <name>', 'print `NAME:HASH`, a line for `users_file`')
    .option(
      '--cost <ln>',
      `binary logarithm of what each login and each guess costs, ${COSTS.min} to ${COSTS.max}: 15 takes 32 MiB and some 80 ms, one more twice as much`,
      String(COSTS.byDefault),
    )
    .action(printHash);
}

async function printHash({ name, cost }: { name?: string; cost: string }): Promise<void> {
  const ln = costOf(cost);
  const fault = name === undefined ? null : userNameFault(name);
  if (fault !== null) throw new Failure(`--name: a user that ${fault}`, BAD_USAGE);
  const hash = await hashPassword(Buffer.from(await readPassword()), { ln, r: 8, p: 1 });
  process.stdout.write(name === undefined ? `${hash}\n` : `${name}:${hash}\n`);
}

function costOf(text: string): number {
  const ln = /^\d{1,2}$/.test(text) ? Number(text) : Number.NaN;
  if (ln >= COSTS.min && ln <= COSTS.max) return ln;
  throw new Failure(
    `--cost: expected a whole number from ${COSTS.min} to ${COSTS.max}, got ${JSON.stringify(text)}`,
    BAD_USAGE,
  );
}
