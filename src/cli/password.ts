/** A password from whoever types it, or from standard input; never from the arguments, which other users see. */
import { createInterface } from 'node:readline/promises';
import { Writable } from 'node:stream';
import { BAD_USAGE, FAILED, Failure } from './failure.js';
import { readBytes } from './input.js';

export const PASSWORD_BYTES_MAX = 1024;

/** On a terminal it is asked for twice. Throws a Failure when there is none. */
export async function readPassword(): Promise<string> {
  const password = process.stdin.isTTY ? await askTwice() : oneLine(await readBytes('-'));
  if (password === '') throw new Failure('the password is empty', BAD_USAGE);
  if (Buffer.byteLength(password) > PASSWORD_BYTES_MAX)
    throw new Failure(`the password is longer than ${PASSWORD_BYTES_MAX} bytes`, BAD_USAGE);
  return password;
}

function oneLine(input: Buffer): string {
  const [line = '', ...others] = input
    .toString('utf8')
    .replace(/\r?\n$/, '')
    .split('\n');
  if (others.length === 0) return line;
  throw new Failure('standard input has several lines: give the password alone', BAD_USAGE);
}

async function askTwice(): Promise<string> {
  const password = await ask('Password: ');
  if ((await ask('The same again: ')) === password) return password;
  throw new Failure('the passwords are not the same', BAD_USAGE);
}

/** Without echo; what is typed can be edited. */
async function ask(question: string): Promise<string> {
  const unseen = new Writable({ write: (_chunk, _encoding, done) => done() });
  const terminal = createInterface({ input: process.stdin, output: unseen, terminal: true, historySize: 0 });
  process.stderr.write(question);
  try {
    return await new Promise<string>((answered, failed) => {
      terminal.once('line', answered);
      // Ctrl-C, Ctrl-D.
      for (const end of ['SIGINT', 'close'])
        terminal.once(end, () => failed(new Failure('no password was given', FAILED)));
    });
  } finally {
    terminal.close();
    process.stderr.write('\n');
  }
}
