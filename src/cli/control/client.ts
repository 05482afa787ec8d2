/** Commands that speak to a running daemon: where it is, what it answers, and what is said when it does not. */
import { existsSync, readFileSync } from 'node:fs';
import type { Command } from 'commander';
import type { ErrorBody, ErrorCode } from '../../admin/answer.js';
import { ask, type ControlAddress } from '../../admin/client.js';
import { addressFault, parseEndpoint, parseListen } from '../../base/address.js';
import { counted } from '../../base/figures.js';
import { visible } from '../../base/text.js';
import { DEFAULT_FILE } from '../../config/default.js';
import { formatProblem } from '../../config/report.js';
import { ADMIN_ADDRESS } from '../../model/config.js';
import { BAD_USAGE, FAILED, Failure } from '../failure.js';

export interface ControlOptions {
  readonly admin?: string;
  readonly token?: string;
  readonly tokenFile?: string;
  readonly config?: string;
  readonly json?: true;
}

/** Adds the options that say where the daemon is. */
export function withControlOptions(command: Command): Command {
  return command
    .option(
      '--admin <address>',
      `the daemon's control interface (default: ANYPORT_ADMIN, the configuration's, ${ADMIN_ADDRESS})`,
    )
    .option('--token-file <file>', "file with its token (default: ANYPORT_ADMIN_TOKEN, the configuration's)")
    .option('--token <token>', 'the token itself: others may see it in `ps` for a moment')
    .option(
      '-c, --config <file>',
      `configuration that says where it is (default: ${DEFAULT_FILE}, if there is one)`,
    )
    .option('--json', 'answer as JSON');
}

interface Place {
  readonly address: ControlAddress;
  /** As written. */
  readonly text: string;
  readonly token: string;
  /** What the address is from, for messages. */
  readonly from: string;
}

export interface ControlClient {
  /** The answer's JSON. A refusal, or no answer, is a Failure; the problems of a configuration are printed before. */
  call(method: string, path: string, body?: unknown): Promise<unknown>;
}

/** Reads the configuration only if something is still missing. */
export async function connectControl(options: ControlOptions): Promise<ControlClient> {
  const place = await placeOf(options);
  return { call: (method, path, body) => call(place, method, path, body) };
}

async function placeOf({ admin, config, ...secret }: ControlOptions): Promise<Place> {
  const { ANYPORT_ADMIN: fromEnvironment, ANYPORT_ADMIN_TOKEN: tokenFromEnvironment } = process.env;
  const written = admin ?? (fromEnvironment || undefined);
  const knownToken = tokenOf(secret) ?? (tokenFromEnvironment || undefined);
  if (written !== undefined) {
    const from = admin === undefined ? 'ANYPORT_ADMIN' : '--admin';
    // The file's token is for the file's address.
    return { address: addressOf(written, from), text: written, token: knownToken ?? '', from };
  }
  const file = config ?? (existsSync(DEFAULT_FILE) ? DEFAULT_FILE : undefined);
  if (file === undefined) {
    return {
      address: addressOf(ADMIN_ADDRESS, 'default'),
      text: ADMIN_ADDRESS,
      token: knownToken ?? '',
      from: 'default',
    };
  }
  return { ...(await placeInFile(file)), ...(knownToken !== undefined && { token: knownToken }) };
}

function tokenOf({ token, tokenFile }: Pick<ControlOptions, 'token' | 'tokenFile'>): string | undefined {
  if (tokenFile === undefined || token !== undefined) return token;
  try {
    return readFileSync(tokenFile, 'utf8').trim();
  } catch (error) {
    throw new Failure(`--token-file: ${visible((error as Error).message)}`, BAD_USAGE);
  }
}

/** Only the section `admin` has to be right: a file with problems elsewhere still says where the daemon is. */
async function placeInFile(file: string): Promise<Place> {
  const { readAdmin } = await import('../../config/admin-of-file.js');
  const read = readAdmin(file, process.env);
  if ('problems' in read) {
    for (const problem of read.problems) process.stderr.write(`${formatProblem(problem)}\n`);
    throw new Failure(`${file} does not say where the daemon is: use --admin`, BAD_USAGE);
  }
  if (read.admin === null) {
    throw new Failure(`${file} has no section \`admin\`: add \`admin: {}\` to it, or use --admin`, BAD_USAGE);
  }
  const { address, token } = read.admin;
  return { address, text: address.text, token, from: file };
}

function addressOf(text: string, from: string): ControlAddress {
  const [address, ...others] = parseListen(text) ?? [];
  if (address !== undefined && others.length === 0) return address;
  // Nobody listens on a name, but somebody else's machine is called by one.
  const endpoint = parseEndpoint(text);
  if (endpoint !== null && !('service' in endpoint)) return endpoint;
  const expected = 'an address such as `127.0.0.1:9093` or `unix:/run/anyport.sock`';
  const fault = addressFault(text);
  const why = fault === null ? '' : `: ${visible(fault)}`;
  throw new Failure(`${from}: expected ${expected}, got \`${visible(text)}\`${why}`, BAD_USAGE);
}

async function call(place: Place, method: string, path: string, body: unknown): Promise<unknown> {
  const reply = await ask(place.address, place.token, { method, path, body }).catch((error: unknown) => {
    throw new Failure(nobodyText(error as NodeJS.ErrnoException, place), FAILED);
  });
  if (reply.status < 300) return reply.body;
  throw refusedBy(reply.body, reply.status, place);
}

/** Why nobody answers, by error code. */
const reasons: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'nobody answers',
  ENOENT: 'there is no such socket',
  EACCES: 'you may not connect to it: be the user of the daemon, or see `admin.mode`',
  ECONNRESET: 'the connection was reset: is it the control interface?',
  ENETUNREACH: 'no network leads there',
  EHOSTUNREACH: 'no machine is there',
  ETIMEDOUT: 'nobody answers',
  ENOTFOUND: 'the name does not resolve',
  EAI_AGAIN: 'the name does not resolve',
  ABORT_ERR: 'no answer came in time',
};

function nobodyText({ code = '', message }: NodeJS.ErrnoException, { text, from }: Place): string {
  const place = `${text} (${from})`;
  // Node's parser of HTTP: HPE_INVALID_CONSTANT and others.
  if (code.startsWith('HPE_')) return `${place} is no control interface: it does not speak HTTP`;
  const absent = code === 'ECONNREFUSED' || code === 'ENOENT';
  const elsewhere = from === 'default' ? ' If it is elsewhere: --admin ADDRESS, or -c FILE' : '';
  const hint = absent ? `: is the daemon running, with a section \`admin\`?${elsewhere}` : '';
  return `${place}: ${reasons[code] ?? message}${hint}`;
}

/** What the caller can mend by asking otherwise; the rest failed. */
const misuse: readonly ErrorCode[] = [
  'bad_request',
  'unauthorized',
  'foreign_host',
  'foreign_origin',
  'exists',
  'trusted',
  'invalid',
  'invalid_config',
];

function refusedBy(body: unknown, status: number, place: Place): Failure {
  const { error } = (typeof body === 'object' && body !== null ? body : {}) as Partial<ErrorBody>;
  if (typeof error !== 'object') {
    return new Failure(
      `${place.text} (${place.from}) is no control interface: it answered ${status}`,
      FAILED,
    );
  }
  const { code, message, path, problems = [] } = error;
  const exit = misuse.includes(code) ? BAD_USAGE : FAILED;
  if (code === 'unauthorized') {
    const why = place.token === '' ? 'wants a token' : 'does not take this token';
    return new Failure(`${place.text} ${why}: use --token-file or ANYPORT_ADMIN_TOKEN`, exit);
  }
  if (problems.length > 0) {
    process.stderr.write(problems.map((problem) => `${visible(formatProblem(problem))}\n`).join(''));
    return new Failure(`refused: ${counted(problems.length, 'problem')}, nothing has changed`, exit);
  }
  return new Failure(visible(path === undefined ? message : `${path}: ${message}`), exit);
}
