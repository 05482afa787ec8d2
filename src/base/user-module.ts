/** Finds the user's code (a handler, a validator): a module's default export, or a function of the embedding program. */

import { readFile } from 'node:fs/promises';
import { register } from 'node:module';

/** Functions by name (`local:1`). A Plan is plain data and names them as it names modules. */
export type LocalCode = ReadonlyMap<string, unknown>;

const LOCAL = 'local:';

export const localName = (number: number): string => `${LOCAL}${number}`;

export const isLocal = (spec: string): boolean => spec.startsWith(LOCAL);

/** As people know it: without the mark that tells versions of a file apart. */
export const shownModule = (spec: string): string => spec.replace(/\?[^?]*$/, '');

/** `what`: for messages. Rejects when a module can not be loaded; a name without a function yields undefined. */
export async function loadUserCode(what: string, spec: string, local?: LocalCode): Promise<unknown> {
  if (isLocal(spec)) return local?.get(spec);
  return (await importUserModule(what, spec)).default;
}

/** Texts that modules are to have, by URL. */
let expected: Readonly<Record<string, string>> = {};

/** Modules that this thread has; a thread loads each URL once. */
const loaded = new Set<string>();

/** From now on, modules with these URLs are loaded with these texts, whatever their files say by then. */
export function expectTexts(texts: Readonly<Record<string, string>>): void {
  expected = texts;
}

/** Errors start with `what` and the URL, because Node's messages do not always name the module. */
async function importUserModule(what: string, url: string): Promise<{ default?: unknown }> {
  try {
    if (!loaded.has(url)) await keepText(url);
    const module = await import(url);
    loaded.add(url);
    return module;
  } catch (error) {
    const message = error instanceof Error ? error.message : error;
    throw new Error(`${what} ${shownModule(url)}: ${message}`, { cause: error });
  }
}

/** Where the file has another text by now, a hook of Node's loader gives the expected one. */
async function keepText(url: string): Promise<void> {
  const text = expected[url];
  if (text === undefined) return;
  const written = await readFile(new URL(url.split('?', 1)[0] ?? url), 'utf8').catch(() => null);
  if (written !== text) register(`data:text/javascript,${encodeURIComponent(HOOK)}`, { data: { url, text } });
}

/** Runs on the loader's own thread. */
const HOOK = `
let kept;
export async function initialize(data) { kept = data; }
export async function resolve(specifier, context, next) {
  return specifier === kept.url ? { url: specifier, shortCircuit: true } : next(specifier, context);
}
export async function load(url, context, next) {
  if (url !== kept.url) return next(url, context);
  const gone = { format: /\\.cjs(\\?|$)/.test(url) ? 'commonjs' : 'module' };
  const loaded = await next(url, context).catch(() => gone);
  return { ...loaded, source: kept.text, shortCircuit: true };
}`;
