/** Loads a configuration for a command; reports its problems, or a summary. */
import { counted } from '../base/figures.js';
import { loadAside } from '../config/aside.js';
import type { Flags } from '../config/flags.js';
import type { Loaded } from '../config/load.js';
import { formatProblem, formatWarning } from '../config/report.js';
import type { Source } from '../config/source.js';
import { BAD_USAGE, Failure } from './failure.js';

export type Configuration = Extract<Loaded, { ok: true }>;

/** Upper bound on problems printed. */
const PROBLEMS_SHOWN_MAX = 200;

/** `seen` gets what was read, with the positions of its keys. */
export async function loadOrFail(
  file: string | undefined,
  flags: Flags,
  seen?: (source: Source) => void,
): Promise<Configuration> {
  const { loadConfig } = await import('../config/load.js');
  return okOrFail(loadConfig({ file: file ?? null, flags, environment: process.env }, seen));
}

/** As loadOrFail, for a long-running process: reads on a thread that ends, which releases the parser's memory. */
export async function loadAsideOrFail(file: string | undefined, flags: Flags): Promise<Configuration> {
  return okOrFail(await loadAside({ file: file ?? null, flags, environment: { ...process.env } }));
}

/** Prints every problem to standard error, then throws a Failure with their summary. */
export function okOrFail(loaded: Loaded): Configuration {
  if (loaded.ok) return loaded;
  const shown = loaded.problems.slice(0, PROBLEMS_SHOWN_MAX);
  process.stderr.write(shown.map((problem) => `${formatProblem(problem)}\n`).join(''));
  const rest = loaded.problems.length > shown.length ? `, of which the first ${shown.length} are shown` : '';
  throw new Failure(`${counted(loaded.problems.length, 'problem')} in the configuration${rest}`, BAD_USAGE);
}

/** `FILE: ok, …` and a line for each warning. */
export function summary({ name, config, warnings }: Configuration): string {
  const forwards = new Set(config.listeners.flatMap(({ forward }) => forward?.at ?? []));
  const listeners = config.listeners.filter(({ forward }) => forward === null);
  const parts = [
    counted(listeners.length, 'listener'),
    ...(forwards.size === 0 ? [] : [counted(forwards.size, 'forward')]),
    counted(config.protocols.length, 'protocol'),
    counted(config.routes.length, 'route'),
    counted(config.upstreams.length, 'upstream'),
  ];
  const lines = [
    `${name}: ok, ${parts.join(', ')}`,
    ...warnings.map((warning) => formatWarning(warning, name)),
  ];
  return `${lines.join('\n')}\n`;
}
