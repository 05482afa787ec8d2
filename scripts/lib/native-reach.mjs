/**
 * Which test files reach native code by their imports: those that load the addon, start a process or a thread, or import
 * what can not be told from their text. In doubt a file does.
 */
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';

/** The one module that loads the addon. */
const ADDON = 'src/addon.ts';
/** Whoever imports one of them may run anything, such as the daemon. */
const openEnded = new Set([
  ...['child_process', 'cluster', 'module', 'vm', 'worker_threads'].flatMap((name) => [name, `node:${name}`]),
  'anyport',
  'piscina',
]);

/** Whether `path`, from the current folder, or anything that it imports reaches native code. */
export function reachesNative(path) {
  const seen = new Set([normalize(path)]);
  // A set is iterated over what is added meanwhile, too.
  for (const each of seen) {
    const { reaches, sources } = linksOf(each);
    if (reaches) return true;
    for (const source of sources) seen.add(source);
  }
  return false;
}

const links = new Map();

/** `{ reaches, sources }`: by itself, and the files that it imports. */
function linksOf(path) {
  if (!links.has(path)) links.set(path, readLinks(path));
  return links.get(path);
}

function readLinks(path) {
  const names = path === ADDON ? null : importsOf(readFileSync(path, 'utf8'));
  if (names === null || names.some((name) => openEnded.has(name))) return { reaches: true, sources: [] };
  const sources = names.filter((name) => name.startsWith('.')).map((name) => join(dirname(path), name));
  const found = sources.map(sourceOf);
  return { reaches: found.includes(null), sources: found };
}

/** The TypeScript of a path, or what is there; null: nothing is, or it is built. */
function sourceOf(path) {
  const source = [path.replace(/\.js$/, '.ts'), path].find((each) => existsSync(each));
  return source === undefined || source.startsWith('dist/') ? null : source;
}

const TYPES = /^\s*(?:import|export)\s+type\s+(?:\{[^}]*\}|\*|\w+)\s+from\s*(['"])[^'"]+\1/gm;

/** What a module imports, types apart; null: also something that its text does not say. Comments count as code. */
export function importsOf(text) {
  if (/\bimport\s*\(\s*[^\s'"]/.test(text) || text.includes('import.meta.resolve')) return null;
  const found = text.replace(TYPES, '').matchAll(/(?:\bfrom|\bimport)\s*\(?\s*(['"])([^'"]+)\1/g);
  return [...found].map((match) => match[2]);
}
