/**
 * `include`: a configuration in several files. One level: an included file includes no others, so that one look at the
 * main file says what belongs to it.
 */
import { dirname, relative, resolve } from 'node:path';
import { formatSize } from '../../base/size.js';
import type { Problem } from '../../model/config.js';
import type { Environment } from '../environment.js';
import { expectedGot } from '../messages.js';
import { renameModules } from '../modules.js';
import { isMapping, type Path, pathText } from '../path.js';
import { readConfig } from '../read.js';
import type { Source, Unreadable } from '../source.js';
import { readFileText } from '../text.js';
import { type Included, includeLimits, listIncluded } from './files.js';
import { mergeSources, textOf } from './merge.js';

export interface Whole {
  readonly source: Source;
  /** Files that can not be found, read or parsed; nothing else can be checked then. */
  readonly problems: readonly Problem[];
  /** What to watch besides the main file: absolute. */
  readonly files: readonly string[];
}

/** `source` with what it includes. `main`: the file it was read from. */
export function withIncluded(source: Source, main: string, environment: Environment): Whole {
  const { value } = source;
  if (!isMapping(value) || !Object.hasOwn(value, 'include')) return { source, problems: [], files: [] };
  const { included, folders, faults } = listIncluded(value.include, main);
  const { include: _, ...rest } = value;
  const own: Source = { ...source, value: rest };
  const { sources, problems } = readAll(included, main, source, environment);
  const unlisted = faults.map(({ path, message }) => ({ ...source.place(path), message }));
  return {
    source: sources.length === 0 ? own : mergeSources([own, ...sources]),
    problems: [...unlisted, ...problems],
    files: [...folders, ...included.map(({ file }) => resolve(file))],
  };
}

function readAll(
  included: readonly Included[],
  main: string,
  mainSource: Source,
  environment: Environment,
): { sources: Source[]; problems: Problem[] } {
  const sources: Source[] = [];
  const problems: Problem[] = [];
  let bytesLeft: number = includeLimits.bytesMax;
  for (const { file, path } of included) {
    const text = readFileText(file);
    if ('message' in text) {
      const by = `named by ${pathText(path)}, ${textOf(mainSource.place(path))}`;
      problems.push({ file, path: '', ...text, message: `${text.message} (${by})` });
      continue;
    }
    bytesLeft -= Buffer.byteLength(text.text);
    if (bytesLeft < 0) {
      const message = `is more than ${formatSize(includeLimits.bytesMax)}, with the files before it`;
      return { sources, problems: [...problems, { file, line: null, column: null, path: '', message }] };
    }
    const read = readConfig(text.text, file, environment);
    problems.push(...read.problems);
    sources.push(asPart(read.source, { file, main }));
  }
  return { sources, problems };
}

/** Refuses what only the main file may say; paths of modules become relative to the main file's folder. */
function asPart(source: Source, { file, main }: { file: string; main: string }): Source {
  const { value } = source;
  const refuse = (at: Path, message: string): Unreadable => {
    return { path: ['include', file], place: source.place(at), message };
  };
  if (!isMapping(value)) {
    const message = expectedGot('a mapping of keys and values', value);
    return { ...source, value: {}, unreadable: [...source.unreadable, refuse([], message)] };
  }
  // In place: positions are known by the objects that were read.
  renameModules(value, (path) => {
    const moved = relative(dirname(resolve(main)), resolve(dirname(file), path));
    return moved.startsWith('.') ? moved : `./${moved}`;
  });
  if (!Object.hasOwn(value, 'include')) return source;
  const { include: _, ...rest } = value;
  const nested = refuse(['include'], `an included file includes no others: list them in ${main}`);
  return { ...source, value: rest, unreadable: [...source.unreadable, nested] };
}
