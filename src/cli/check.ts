/** Runs `anyport check`: a configuration in, its problems or a summary out, and what it would change. */
import { jsonLine } from '../base/text.js';
import { DEFAULT_FILE } from '../config/default.js';
import { diffConfigs, unchangeable } from '../config/diff/index.js';
import { type Loaded, loadConfig } from '../config/load.js';
import { withAbsoluteModules } from '../config/modules.js';
import { formatProblem } from '../config/report.js';
import type { Problem } from '../model/config.js';
import type { Contribution } from '../providers/contribution.js';
import { listPathsIn } from '../security/lists.js';
import { type Configuration, okOrFail, summary } from './configuration.js';
import { connectControl } from './control/client.js';
import { type Difference, differencesText } from './differences.js';
import { BAD_USAGE, Failure } from './failure.js';
import type { ShownOrigins } from './origins.js';

export interface CheckOptions {
  /** True: against the running daemon. */
  readonly diff?: string | true;
  readonly admin?: string;
  readonly token?: string;
  readonly tokenFile?: string;
  readonly json?: true;
  readonly origins?: true;
}

interface Compared {
  /** File or address. */
  readonly against: string;
  readonly items: readonly Difference[];
  /** Why a running daemon would refuse to change. */
  readonly refused: readonly Problem[];
}

export async function checkFile(file: string | undefined, options: CheckOptions): Promise<void> {
  const loaded = await withLists(load(file));
  if (options.json && !loaded.ok) return printInvalid(file ?? DEFAULT_FILE, loaded.problems);
  const bare = okOrFail(loaded);
  const compared = options.diff === undefined ? null : await compare(bare, file, options);
  const { wanted, origins } = options.origins
    ? await withOrigins(bare, file)
    : { wanted: bare, origins: null };
  process.stdout.write(
    options.json ? resultJson(wanted, compared, origins) : resultText(wanted, compared, origins),
  );
}

/** With what containers and etcd say now. */
async function withOrigins(
  bare: Configuration,
  file: string | undefined,
): Promise<{ readonly wanted: Configuration; readonly origins: ShownOrigins }> {
  const { tellLack } = await import('./aside.js');
  const { contributionsBeside } = await import('./with-contributions.js');
  const { shownOrigins } = await import('./origins.js');
  const lacking: Problem[] = [];
  const lack = (problem: Problem) => {
    tellLack(problem);
    lacking.push(problem);
  };
  const contributions = await contributionsBeside(bare.config, lack);
  const wanted = contributions.length === 0 ? bare : okOrFail(load(file, contributions));
  const { text, json } = await shownOrigins(wanted, lack);
  return { wanted, origins: { text, json: { ...json, left_out: [...lacking, ...json.left_out] } } };
}

const load = (file: string | undefined, contributions: readonly Contribution[] = []): Loaded =>
  loadConfig({ file: file ?? null, flags: {}, environment: process.env, contributions });

/** Files of networks are read too, as at a start. */
async function withLists(loaded: Loaded): Promise<Loaded> {
  if (!loaded.ok || listPathsIn(loaded.config).size === 0) return loaded;
  const { checkLists } = await import('../security/check.js');
  const problems = await checkLists(loaded.config);
  return problems.length === 0 ? loaded : { ok: false, problems, files: loaded.files };
}

function printInvalid(file: string, problems: readonly Problem[]): never {
  process.stdout.write(jsonLine({ file, valid: false, problems }));
  throw new Failure(`${file} is not valid`, BAD_USAGE);
}

function resultJson(
  { name, warnings }: Configuration,
  compared: Compared | null,
  origins: ShownOrigins | null,
): string {
  return jsonLine({ file: name, valid: true, problems: [], warnings, ...compared, ...origins?.json });
}

function resultText(wanted: Configuration, compared: Compared | null, origins: ShownOrigins | null): string {
  return [
    summary(wanted),
    ...(origins === null ? [] : [origins.text]),
    ...(compared === null ? [] : [comparedText(compared)]),
  ].join('\n');
}

function comparedText({ against, items, refused }: Compared): string {
  const lines = refused.map((problem) => `${formatProblem(problem)}\n`).join('');
  return `compared with ${against}:\n${differencesText(items)}${lines && `\n${lines}`}`;
}

async function compare(
  wanted: Configuration,
  file: string | undefined,
  { diff, ...options }: CheckOptions,
): Promise<Compared> {
  if (diff === true) return compareWithDaemon(wanted, file, options);
  const before = okOrFail(load(diff));
  return {
    against: before.name,
    items: diffConfigs(before.config, wanted.config),
    refused: unchangeable(before.config, wanted.config),
  };
}

/** The daemon says what it would refuse, and why, by itself. */
async function compareWithDaemon(
  { document, directory }: Configuration,
  file: string | undefined,
  { admin, token, tokenFile }: CheckOptions,
): Promise<Compared> {
  const daemon = await connectControl({
    ...(admin !== undefined && { admin }),
    ...(token !== undefined && { token }),
    ...(tokenFile !== undefined && { tokenFile }),
    ...(file !== undefined && { config: file }),
  });
  const answer = await daemon.call('POST', '/api/v1/config/diff', withAbsoluteModules(document, directory));
  const { items } = answer as { readonly items: readonly Difference[] };
  return { against: admin ?? 'the running daemon', items, refused: [] };
}
