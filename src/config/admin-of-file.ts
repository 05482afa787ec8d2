/** The section `admin` of a configuration file, whatever the rest of the file is like. */
import type { AdminConfig, Problem } from '../model/config.js';
import type { Environment } from './environment.js';
import { withIncluded } from './include/index.js';
import { check } from './issues.js';
import { isMapping } from './path.js';
import { readConfig } from './read.js';
import { Report } from './report.js';
import { sections } from './schema/index.js';
import type { Source } from './source.js';
import { readFileText } from './text.js';
import { resolveAdmin } from './validate/admin.js';

export type ReadAdmin =
  /** Null: there is no such section. */
  { readonly admin: AdminConfig | null } | { readonly problems: readonly Problem[] };

export function readAdmin(file: string, environment: Environment): ReadAdmin {
  const text = readFileText(file);
  if ('message' in text) return { problems: [{ file, path: '', ...text }] };
  const main = readConfig(text.text, file, environment);
  if (main.problems.length > 0) return { problems: main.problems };
  const whole = hasAdmin(main.source) ? main : withIncluded(main.source, file, environment);
  if (!hasAdmin(whole.source)) return whole.problems.length > 0 ? whole : { admin: null };
  const { source } = whole;
  const report = new Report({
    ...source,
    unreadable: source.unreadable.filter(({ path }) => path[0] === 'admin'),
  });
  const section = check(sections.admin, source.value.admin ?? {}, ['admin'], report);
  const admin = resolveAdmin({ admin: section }, report);
  return report.problems.length > 0 ? { problems: report.problems } : { admin };
}

type WithAdmin = Source & { readonly value: { readonly admin: unknown } };

const hasAdmin = (source: Source): source is WithAdmin => isMapping(source.value) && 'admin' in source.value;
