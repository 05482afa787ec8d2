// A configuration file, in JSON and the library's spelling, that is put into force whenever it changes: whole or not at
// all. Sessions that are open go on under the configuration they began with.
//   node examples/config-file.mjs examples/config.json
import { watch } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { basename, dirname, resolve } from 'node:path';
import { createAnyport } from 'anyport';

const file = resolve(process.argv[2] ?? new URL('config.json', import.meta.url).pathname);
const read = async () => JSON.parse(await readFile(file, 'utf8'));

const plex = createAnyport({ ...(await read()), directory: dirname(file) });

plex.on('configChange', (_next, diff) => {
  for (const { change, kind, name } of diff) console.log(`${change}: ${kind} ${name}`);
});

/** A file that is wrong changes nothing. */
async function reload() {
  try {
    await plex.updateConfig(await read());
  } catch (error) {
    const problems = error.problems ?? [];
    console.log(
      `refused: ${problems.map(({ path, message }) => `${path}: ${message}`).join('; ') || error.message}`,
    );
  }
}

// Editors replace a file rather than write into it: watch its folder, and wait until it is quiet.
let timer;
const watcher = watch(dirname(file), (_event, name) => {
  if (name !== basename(file)) return;
  clearTimeout(timer);
  timer = setTimeout(reload, 100);
});

const [front] = await plex.listen(process.env.LISTEN ?? '127.0.0.1:9090');
console.log(`listening on ${front.address}`);

process.on('SIGTERM', () => {
  watcher.close();
  plex.close({ drain: 0 });
});
