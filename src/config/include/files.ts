/** Which files `include` names: paths, and patterns with `*` and `?` in their last part. */
import { opendirSync } from 'node:fs';
import { basename, dirname, resolve } from 'node:path';
import { type Path, pathText } from '../path.js';
import { reasonOf } from '../text.js';

export const includeLimits = {
  /** Files of all patterns together. */
  filesMax: 1000,
  /** Names looked at in one folder. */
  namesMax: 100_000,
  /** Bytes of all included files together. */
  bytesMax: 8 * 1024 ** 2,
} as const;

export interface Included {
  /** As in messages: behind the folder of the including file as it was given. */
  readonly file: string;
  /** Of the pattern in the including file. */
  readonly path: Path;
}

export interface Fault {
  readonly path: Path;
  readonly message: string;
}

export interface Listing {
  /** Each once, in the order of patterns, and of names within one. */
  readonly included: readonly Included[];
  /** Folders whose names decide; absolute. */
  readonly folders: readonly string[];
  readonly faults: readonly Fault[];
}

/** `main`: the including file, which no pattern includes. `value`: of the key `include`. */
export function listIncluded(value: unknown, main: string): Listing {
  const written: unknown[] = Array.isArray(value) ? value : [value];
  const included = new Map<string, Included>();
  const folders = new Set<string>();
  const faults: Fault[] = [];
  for (const [index, text] of written.entries()) {
    const path = Array.isArray(value) ? ['include', index] : ['include'];
    const found = filesOf(text, dirname(main));
    if ('folder' in found) folders.add(resolve(found.folder));
    if ('message' in found) faults.push({ path, message: found.message });
    for (const file of found.files) {
      const key = resolve(file);
      if (key !== resolve(main) && !included.has(key)) included.set(key, { file, path });
      else if (!('folder' in found)) faults.push({ path, message: twiceText(file, included.get(key)) });
    }
  }
  if (included.size > includeLimits.filesMax) {
    const message = `is ${included.size} files, with those of all patterns: at most ${includeLimits.filesMax}`;
    return { included: [], folders: [...folders], faults: [{ path: ['include'], message }] };
  }
  return { included: [...included.values()], folders: [...folders], faults };
}

function twiceText(file: string, before: Included | undefined): string {
  return before === undefined
    ? 'includes itself: name another file'
    : `\`${file}\` is included already, by ${pathText(before.path)}`;
}

type Files = { readonly files: readonly string[]; readonly message?: string; readonly folder?: string };

function filesOf(text: unknown, base: string): Files {
  if (typeof text !== 'string' || text === '') {
    return { files: [], message: 'expected a path or a pattern such as `conf.d/*.yaml`' };
  }
  const file = text.startsWith('/') ? text : `${base === '.' ? '' : `${base}/`}${text}`;
  const [folder, pattern] = [dirname(file), basename(file)];
  if (/[*?]/.test(folder.slice(base.length))) {
    return { files: [], message: '`*` and `?` stand for names of files alone: write folders out' };
  }
  return /[*?]/.test(pattern) ? matching(folder, pattern) : { files: [file] };
}

/** Sorted by name, by code unit. As in a shell, `*` stands for no name that begins with a dot. */
function matching(folder: string, pattern: string): Files {
  const wanted = patternOf(pattern);
  const names: string[] = [];
  try {
    const entries = opendirSync(folder);
    try {
      let looked = 0;
      for (let entry = entries.readSync(); entry !== null; entry = entries.readSync()) {
        looked += 1;
        if (looked > includeLimits.namesMax) {
          return {
            files: [],
            folder,
            message: `\`${folder}\` has more than ${includeLimits.namesMax} names`,
          };
        }
        if (wanted.test(entry.name)) names.push(entry.name);
      }
    } finally {
      entries.closeSync();
    }
  } catch (error) {
    const why = reasonOf(error as NodeJS.ErrnoException).replace('such file', 'such folder');
    return { files: [], folder, message: `can not read \`${folder}\`: ${why}` };
  }
  const files = names.map((name) => (folder === '.' ? name : `${folder}/${name}`));
  return { files: files.sort((a, b) => (a < b ? -1 : 1)), folder };
}

function patternOf(pattern: string): RegExp {
  const escaped = pattern.replace(/[.+^${}()|[\]\\]/g, '\\$&');
  const body = escaped.replaceAll('*', '[^]*').replaceAll('?', '[^]');
  return new RegExp(`^${/^[*?]/.test(pattern) ? '(?!\\.)' : ''}${body}$`);
}
