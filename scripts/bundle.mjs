/**
 * Replaces dist/config/load.js by one file with all that it imports: a thread that reads a configuration would otherwise
 * look for, read and link some 340 modules, which takes longer than to read the configuration.
 */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, relative } from 'node:path';
import { pathToFileURL } from 'node:url';
import { rolldown } from 'rolldown';

const FILE = 'dist/config/load.js';

/** Files that a module finds by its own place are where they were. */
const places = {
  name: 'places',
  transform(code, id) {
    // What the bundler adds has no place of its own.
    if (id.startsWith('\0') || !code.includes('import.meta.url')) return null;
    const place = JSON.stringify(relative(dirname(FILE), id));
    return { code: code.replaceAll('import.meta.url', `new URL(${place}, import.meta.url).href`), map: null };
  },
};

/** Messages in other languages are not shown; zod's index of them loads 50 files. */
const oneLanguage = {
  name: 'one language',
  resolveId: (name) => (/\/locales\/index\.js$/.test(name) ? '\0no-locales' : null),
  load: (id) => (id === '\0no-locales' ? 'export {};' : null),
};

/** What the licences of the packages in it ask for. */
function licences(ids) {
  const folders = ids.flatMap((id) => id.match(/.*\/node_modules\/(?:@[^/]+\/)?[^/]+/) ?? []);
  const texts = [...new Set(folders)].toSorted().map((folder) => {
    const { name, version } = JSON.parse(readFileSync(`${folder}/package.json`, 'utf8'));
    const file = readdirSync(folder).find((each) => /^licen[cs]e/i.test(each));
    if (file === undefined) throw new Error(`${name} has no licence`);
    return `${name} ${version}\n\n${readFileSync(`${folder}/${file}`, 'utf8').trim()}\n`;
  });
  return texts.join(`\n${'-'.repeat(80)}\n\n`);
}

const bundle = await rolldown({ input: FILE, platform: 'node', plugins: [places, oneLanguage] });
// Names stay for the stacks of errors.
const minify = { mangle: false, compress: true };
const { output } = await bundle.write({ file: FILE, format: 'esm', minify });
await bundle.close();
const [{ modules }, ...others] = output;
if (others.length > 0) throw new Error(`${FILE} became ${output.length} files`);
writeFileSync(`${FILE}.LICENSES.txt`, licences(Object.keys(modules)));

// Problems that only show when it runs, such as a package that takes its name from its place.
const { loadConfig } = await import(pathToFileURL(FILE).href);
const read = loadConfig({ document: { server: { listen: '127.0.0.1:0' } }, directory: '.' });
if (!read.ok) throw new Error(`the bundle of ${FILE} does not read a configuration`);
