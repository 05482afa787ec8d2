/** What `npm run bench` is asked for: bench/benches.json says which benchmark takes which options. */
import { existsSync, readFileSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { parseArgs } from 'node:util';

const benches = JSON.parse(readFileSync('bench/benches.json', 'utf8'));

/** Prints, and takes no options. */
const HELP = ['-h', '--help'];

const synopsis = (options) =>
  Object.entries(options)
    .map(([option, value]) => (value === '' ? `[--${option}]` : `[--${option} ${value}]`))
    .join(' ');

export const usage = [
  'npm run bench -- [options]',
  ...Object.entries(benches).flatMap(([name, { does, options }]) => [
    '',
    `${name}: ${does}`,
    `  ${synopsis(options).replace(/\[(--only [a-z]+)\]/, '$1')}`,
  ]),
  '',
  'NAME      those whose name starts so; one that there is not is answered with those there are',
  'CONTENDER one of those that are compared, by its whole name',
  'N         whole numbers; of --rounds: more of them, narrower intervals',
  'DIR       another built checkout, which is measured in turn with this one',
  'FILE      gets every run, as JSON',
  '--unpinned  proxies and their load run on any core; a wakeup on another core costs more than one on its own',
  '--quick   short runs, to try',
  '',
].join('\n');

/** Of a value, by what it stands for in the usage. */
const isRight = {
  N: (value) => /^[1-9]\d*$/.test(value),
  DIR: (value) => existsSync(join(value, 'dist/cli/main.js')),
  FILE: (value) => existsSync(dirname(value)) && !statSync(value, { throwIfNoEntry: false })?.isDirectory(),
};
const expected = {
  N: 'give a whole number, 1 or more',
  DIR: 'there is no checkout that is built: `npm ci && npm run build` in it',
  FILE: 'name a file, in a folder that there is',
};

/** `{ help }`, `{ wrong }` with what is wrong, or `{ name, values }`: a benchmark and its options. */
export function requestOf(args) {
  if (args.some((argument) => HELP.includes(argument))) return { help: usage };
  const { only } = parseArgs({ args, options: { only: { type: 'string' } }, strict: false }).values;
  const name = Object.hasOwn(benches, only) ? only : 'system';
  const { options } = benches[name];
  try {
    const { values } = parseArgs({ args, options: parsed(options) });
    const wrong = Object.entries(values).flatMap(([option, value]) =>
      (isRight[options[option]] ?? (() => true))(value)
        ? []
        : [`--${option} ${value}: ${expected[options[option]]}`],
    );
    return wrong.length > 0 ? { wrong: wrong.join('; ') } : { name, values };
  } catch (error) {
    const [sentence] = error.message.split(/\.\s/);
    return { wrong: `${sentence}; of ${name}: ${synopsis(options)}` };
  }
}

const parsed = (options) =>
  Object.fromEntries(
    Object.entries(options).map(([option, value]) => [option, { type: value === '' ? 'boolean' : 'string' }]),
  );

/** What is wrong with the names in a request, by the compiled benchmarks of `folder`; null: nothing. */
export async function wrongNames({ name, values }, folder) {
  for (const [option, [module, list]] of Object.entries(benches[name].names ?? {})) {
    if (values[option] === undefined || Object.hasOwn(benches, values[option])) continue;
    const { [list]: make } = await import(join(folder, module));
    const known = make(1).map((each) => each.name ?? each);
    const value = benches[name].options[option];
    const given = value.endsWith(',…') ? values[option].split(',') : [values[option]];
    const strange = given.find(
      (start) => !known.some((each) => (value.startsWith('NAME') ? each.startsWith(start) : each === start)),
    );
    if (strange !== undefined) {
      const more = option === 'only' ? Object.keys(benches).filter((each) => each !== 'system') : [];
      return `--${option} ${strange}: there is ${[...more, ...known].join(', ')}`;
    }
  }
  return null;
}
