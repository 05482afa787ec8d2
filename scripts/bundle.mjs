/**
 * Replaces modules that a thread begins with by one file each with all that they import: it would otherwise look for, read
 * and link hundreds of modules, which takes longer than what it is for. Beside each is the code that V8 makes of it
 * (src/base/compiled.ts), for the Node that builds.
 */
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, relative, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { rolldown } from 'rolldown';
import { asBundle } from '../dist/base/compiled.js';
import { run } from './lib/run.mjs';

/** Reads configurations; its packages are in it. */
const READER = 'dist/config/load.js';
/** A worker thread, and what `anyport run` adds to the command line. Their packages are few. */
const threads = ['dist/worker/main.js', 'dist/cli/run/process.js'];

/** Files that a module in `file` finds by its own place are where they were. */
const placesIn = (file) => ({
  name: 'places',
  transform(code, id) {
    // What the bundler adds has no place of its own.
    if (id.startsWith('\0') || !code.includes('import.meta.url')) return null;
    const place = JSON.stringify(relative(dirname(file), id));
    return { code: code.replaceAll('import.meta.url', `new URL(${place}, bundlePlace).href`), map: null };
  },
});

/** Messages in other languages are not shown; zod's index of them loads 50 files. */
const oneLanguage = {
  name: 'one language',
  resolveId: (name) => (/\/locales\/index\.js$/.test(name) ? '\0no-locales' : null),
  load: (id) => (id === '\0no-locales' ? 'export {};' : null),
};

/** Packages are found as ever, and what is imported when it is needed is read then. */
const ownAtOnce = {
  name: 'own at once',
  resolveId(name, from, { kind }) {
    if (from === undefined) return null;
    if (!name.startsWith('.')) return { id: name, external: true };
    if (kind === 'dynamic-import') return { id: resolve(dirname(from), name), external: 'relative' };
    return null;
  },
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

/** Returns what is in it: paths of modules. `file` itself becomes the module that loads it. */
async function bundle(file, plugins, minify = false) {
  const build = await rolldown({ input: file, platform: 'node', plugins: [placesIn(file), ...plugins] });
  const { output } = await build.generate({ format: 'cjs', exports: 'named', minify });
  await build.close();
  const [{ code, modules, exports }, ...others] = output;
  if (others.length > 0) throw new Error(`${file} became ${output.length} files`);
  writeFileSync(file.replace(/js$/, 'bundle.cjs'), asBundle(code));
  writeFileSync(file, loading(file, exports));
  return Object.keys(modules);
}

function loading(file, exports) {
  const compiled = relative(dirname(file), 'dist/base/compiled.js');
  return [
    `import { load } from '${compiled}';`,
    'const bundle = load(import.meta.url, (name) => import(name));',
    ...exports.map((name) =>
      name === 'default' ? 'export default bundle.default;' : `export const ${name} = bundle.${name};`,
    ),
    '',
  ].join('\n');
}

/** Those of V8 that `bin/anyport` starts Node with: code that is made under others is refused. */
const OPTIONS = ['--max-semi-space-size=1', '--single-threaded-gc'];

function compileAhead(file) {
  const place = JSON.stringify(pathToFileURL(file).href);
  const compiled = JSON.stringify(pathToFileURL('dist/base/compiled.js').href);
  const program = `
    const { compile, evaluate, keepCode } = await import(${compiled});
    const script = compile(${place});
    evaluate(script, ${place}, (name) => import(name));
    keepCode(script, ${place});
    process.exit();`;
  if (run(process.execPath, [...OPTIONS, '--input-type=module', '--eval', program]) !== 0)
    throw new Error(`${file} does not run`);
}

// Names stay for the stacks of errors.
const modules = await bundle(READER, [oneLanguage], { mangle: false, compress: true });
writeFileSync(`${READER}.LICENSES.txt`, licences(modules));
for (const file of threads) await bundle(file, [ownAtOnce]);

// Problems that only show when it runs, such as a package that takes its name from its place.
const { loadConfig } = await import(pathToFileURL(READER).href);
const read = loadConfig({ document: { server: { listen: '127.0.0.1:0' } }, directory: '.' });
if (!read.ok) throw new Error(`the bundle of ${READER} does not read a configuration`);

// The others load the addon.
for (const file of [READER, ...(existsSync('build/Release/anyport.node') ? threads : [])]) compileAhead(file);
