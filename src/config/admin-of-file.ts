/** The section `admin` of a configuration file, whatever the rest of the file is like. */
import type { AdminConfig, Problem } from '../model/config.js';
import type { Environment } from './environment.js';
import { check } from './issues.js';
import { isMapping } from './path.js';
import { readConfig } from './read.js';
import { Report } from './report.js';
import { sections } from './schema/index.js';
import { readFileText } from './text.js';
import { resolveAdmin } from './validate/admin.js';

export type ReadAdmin =
  /** Null: there is no such section. */
  { readonly admin: AdminConfig | null } | { readonly problems: readonly Problem[] };

export function readAdmin(file: string, environment: Environment): ReadAdmin {
  const text = readFileText(file);
  if ('message' in text) return { problems: [{ file, path: '', ...text }] };
  const { source, problems } = readConfig(text.text, file, environment);
  if (problems.length > 0) return { problems };
  const { value } = source;
  if (!isMapping(value) || !('admin' in value)) return { admin: null };
  const report = new Report({
    ...source,
    unreadable: source.unreadable.filter(({ path }) => path[0] === 'admin'),
  });
  const section = check(sections.admin, value.admin ?? {}, ['admin'], report);
  const admin = resolveAdmin({ admin: section }, report);
  return report.problems.length > 0 ? { problems: report.problems } : { admin };
}
