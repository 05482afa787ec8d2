/** Loads a configuration for a command and tells the user what is wrong with it, or what it holds. */
import { loadAside } from '../config/aside.js';
import type { Flags } from '../config/flags.js';
import type { Loaded } from '../config/load.js';
import { formatProblem, formatWarning } from '../config/report.js';
import { BAD_USAGE, Failure } from './failure.js';

export type Configuration = Extract<Loaded, { ok: true }>;

/** More of them at once nobody reads. */
const PROBLEMS_SHOWN_MAX = 200;

export async function loadOrFail(file: string | undefined, flags: Flags): Promise<Configuration> {
  const { loadConfig } = await import('../config/load.js');
  return okOrFail(loadConfig({ file: file ?? null, flags, environment: process.env }));
}

/** The same for a process that stays: what reading takes is given back. */
export async function loadAsideOrFail(file: string | undefined, flags: Flags): Promise<Configuration> {
  return okOrFail(await loadAside({ file: file ?? null, flags, environment: { ...process.env } }));
}

/** Every problem goes to standard error; what is thrown then sums them up. */
function okOrFail(loaded: Loaded): Configuration {
  if (loaded.ok) return loaded;
  const shown = loaded.problems.slice(0, PROBLEMS_SHOWN_MAX);
  process.stderr.write(shown.map((problem) => `${formatProblem(problem)}\n`).join(''));
  const rest = loaded.problems.length > shown.length ? `, of which the first ${shown.length} are shown` : '';
  throw new Failure(`${counted(loaded.problems.length, 'problem')} in the configuration${rest}`, BAD_USAGE);
}

/** `FILE: ok, …` and a line for each warning. */
export function summary({ name, config, warnings }: Configuration): string {
  const parts = [
    counted(config.listeners.length, 'listener'),
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

const counted = (count: number, noun: string): string => `${count} ${noun}${count === 1 ? '' : 's'}`;
