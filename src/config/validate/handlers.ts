/** Modules named in the configuration: in-process handlers and validators. */
import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { suggestion } from '../../base/nearest.js';
import { isLocal } from '../../base/user-module.js';
import { builtinHandlers, isBuiltin } from '../../handlers/index.js';
import { type FileKind, MODULE_BYTES_MAX } from '../file-kind.js';
import type { Path } from '../path.js';
import type { Report } from '../report.js';
import type { Context } from './context.js';

/** Returns `builtin:NAME` or the file URL of a module. */
export function resolveHandler(text: string, path: Path, context: Context, report: Report): string {
  if (isBuiltin(text)) {
    if (!builtinHandlers.includes(text)) {
      report.problem(path, `unknown handler \`${text}\`${suggestion(text, builtinHandlers)}`);
    }
    return text;
  }
  return resolveModule(text, path, context, report);
}

/** Returns the file URL of a module, or the name of a function. */
export function resolveModule(text: string, path: Path, context: Context, report: Report): string {
  if (isLocal(text)) return resolveLocal(text, path, context, report);
  const file = resolve(context.directory, text);
  const kind = context.fileKind(file);
  if (kind !== 'module') report.problem(path, `${refusals[kind]}: ${file}`);
  return pathToFileURL(file).href;
}

const refusals: Readonly<Record<Exclude<FileKind, 'module'>, string>> = {
  none: 'no such file',
  too_large: `larger than ${MODULE_BYTES_MAX} bytes, which no module needs`,
  other: 'is no regular file',
};

function resolveLocal(text: string, path: Path, { local = [] }: Context, report: Report): string {
  if (!local.includes(text)) report.problem(path, `there is no function \`${text}\` in this process`);
  return text;
}
