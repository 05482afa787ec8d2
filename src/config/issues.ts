/** Converts zod issues to problems: one per wrong place. */
import type { z } from 'zod';
import { isMapping, type Path } from './path.js';
import type { Report } from './report.js';

type Issue = z.core.$ZodIssue;

/** What is said of an unknown key of the value itself, if it is known in another place. */
type Elsewhere = (key: string) => string | undefined;

/**
 * The validated value. If it is wrong, problems are reported and the value without its wrong keys is returned for
 * further checks; null when it makes no sense without them.
 */
export function check<Schema extends z.ZodType>(
  schema: Schema,
  value: unknown,
  path: Path,
  report: Report,
  elsewhere: Elsewhere = () => undefined,
): z.output<Schema> | null {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  for (const issue of result.error.issues) reportIssue(issue, path, report, elsewhere);
  const wrong = result.error.issues.flatMap(wrongPaths);
  return schema.safeParse(without(value, wrong)).data ?? null;
}

function wrongPaths(issue: Issue): Path[] {
  const path = plainPath(issue);
  return issue.code === 'unrecognized_keys' ? issue.keys.map((key) => [...path, key]) : [path];
}

/** A list with a wrong item is dropped as a whole: removing items would shift positions. */
function without(value: unknown, wrong: readonly Path[]): unknown {
  if (!isMapping(value)) return value;
  const kept = Object.entries(value).flatMap(([key, inner]) => {
    const within = wrong.filter((path) => path[0] === key).map((path) => path.slice(1));
    if (within.length === 0) return [[key, inner]];
    return isMapping(inner) && within.every(({ length }) => length > 0)
      ? [[key, without(inner, within)]]
      : [];
  });
  return Object.fromEntries(kept);
}

const plainPath = ({ path }: Issue): Path =>
  path.map((part) => (typeof part === 'symbol' ? String(part) : part));

function reportIssue(issue: Issue, base: Path, report: Report, elsewhere?: Elsewhere): void {
  const path = [...base, ...plainPath(issue)];
  if (issue.code === 'unrecognized_keys') {
    const messages = issue.message.split('\n');
    const other = issue.path.length === 0 ? elsewhere : undefined;
    for (const [index, key] of issue.keys.entries())
      report.problem([...path, key], other?.(key) ?? messages[index] ?? '');
    return;
  }
  const branch = issue.code === 'invalid_union' ? intended(issue.errors) : undefined;
  if (branch === undefined) report.problem(path, issue.message);
  else for (const inner of branch) reportIssue(inner, path, report);
}

/** Of a union's branches the one probably intended: the type is right, something inside is wrong. */
function intended(branches: readonly (readonly Issue[])[]): readonly Issue[] | undefined {
  return branches.find((issues) => !issues.some(isOfOtherType));
}

function isOfOtherType(issue: Issue): boolean {
  if (issue.path.length > 0) return false;
  if (issue.code === 'invalid_union') return intended(issue.errors) === undefined;
  return issue.code === 'invalid_type' || issue.code === 'invalid_value';
}
