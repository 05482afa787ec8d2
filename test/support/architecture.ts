/**
 * The arrows between rooms (docs/architecture.md) as data, and the check that finds what breaks them.
 * Pure: it is given sources as text, so that its own test can give it wrong ones.
 */
import { posix } from 'node:path';

export interface SourceFile {
  /** From the repository's root: `src/worker/main.ts`. */
  readonly path: string;
  readonly text: string;
}

/**
 * Room → the rooms it may import besides itself. A file directly in src/ is a room of its own, and so is a folder in a
 * room that has arrows of its own (`cli/run`).
 */
export type Arrows = Readonly<Record<string, readonly string[]>>;

const leaf = ['base', 'model'];
const leaves = [
  'protocols',
  'routing',
  'upstream',
  'health',
  'handlers',
  'metrics',
  'providers',
  'cluster',
  'via',
];

export const typescriptArrows: Arrows = {
  base: [],
  model: [],
  addon: ['model'],
  ...Object.fromEntries(leaves.map((room) => [room, leaf])),
  // Checks read answers with the same cursors and automata as openings are read with.
  health: [...leaf, 'protocols', 'via'],
  // Lists of networks are native sets.
  security: [...leaf, 'addon'],
  // Handshakes, which the daemon has too, and the sockets of the library, which are native.
  kcp: [...leaf, 'addon'],
  // Requests of clients, destinations, users: pure.
  'forward-proxy': [...leaf, 'protocols'],
  config: [...leaf, ...leaves, 'kcp', 'forward-proxy'],
  worker: [
    ...leaf,
    'addon',
    'protocols',
    'routing',
    'upstream',
    'health',
    'handlers',
    'metrics',
    'kcp',
    'forward-proxy',
    'providers',
    'via',
  ],
  admin: [...leaf, 'metrics'],
  plane: [...leaf, 'addon', 'health', 'metrics', 'upstream'],
  // What limits of other rooms add up to.
  budget: [...leaf, 'addon', 'admin', 'health', 'upstream', 'forward-proxy'],
  doctor: [...leaf, 'budget', 'protocols'],
  // Starts the daemon as a program.
  bench: [...leaf, 'budget', 'protocols'],
  primary: [
    ...leaf,
    'addon',
    'budget',
    'doctor',
    'plane',
    'config',
    'health',
    'providers',
    'security',
    'cluster',
    'metrics',
    'protocols',
    'admin',
  ],
  // The process: it ends itself and tells the service manager through the addon, which no other command needs.
  'cli/run': [...leaf, 'addon', 'primary'],
  cli: [
    ...leaf,
    'bench',
    'config',
    'doctor',
    'health',
    'plane',
    'protocols',
    'providers',
    'cluster',
    'routing',
    'upstream',
    'security',
    'kcp',
    'forward-proxy',
    'via',
    'admin',
    'cli/run',
  ],
  // The daemon without process; the schema stays on the thread that checks configurations.
  library: [...leaf, 'addon', 'primary', 'config', 'kcp', 'protocols', 'handlers', 'metrics'],
  index: ['library', 'kcp', 'model', 'handlers'],
};

export const nativeArrows: Arrows = {
  // Leaves are reached from the border too: addresses and classifiers are converted there, sockets opened.
  bindings: [
    'engine',
    'links',
    'tls',
    'kcp',
    'desk',
    'plan',
    'shared',
    'udp',
    'classifier',
    'admission',
    'loop',
    'pool',
    'net',
  ],
  engine: [
    'links',
    'tls',
    'stream',
    'flow',
    'udp',
    'connect',
    'sniff',
    'desk',
    'plan',
    'shared',
    'admission',
    'classifier',
    'loop',
    'pool',
    'net',
  ],
  flow: ['udp', 'sniff', 'desk', 'plan', 'shared', 'admission', 'loop', 'pool', 'net'],
  stream: ['connect', 'sniff', 'relay', 'desk', 'plan', 'shared', 'loop', 'pool', 'net'],
  connect: ['desk', 'plan', 'loop', 'pool', 'net'],
  sniff: ['desk', 'plan', 'shared', 'admission', 'classifier', 'loop', 'pool', 'net'],
  desk: ['plan', 'shared', 'admission', 'loop', 'pool', 'net'],
  // Profiles of links, which are plain data, and how TLS to a server is made.
  plan: ['links', 'tls', 'classifier', 'admission', 'net'],
  links: ['kcp', 'udp', 'loop', 'pool', 'net'],
  tls: ['loop', 'pool', 'net'],
  shared: ['net'],
  relay: ['loop', 'pool', 'net'],
  udp: ['loop', 'pool', 'net'],
  classifier: [],
  // Reliable UDP: no socket, no clock, no thread.
  kcp: [],
  admission: ['shared', 'net'],
  loop: [],
  pool: [],
  net: [],
  // A program of its own.
  load: ['net'],
};

/** Package → the one file that may import it. */
export const packageOwners: Readonly<Record<string, string>> = {
  pino: 'src/base/log.ts',
  'pino-pretty': 'src/base/pretty.ts',
  piscina: 'src/plane/pool.ts',
  'prom-client': 'src/metrics/registry.ts',
};

/** Methods that a class may have without a reason in the comment above it. */
const METHODS_MAX = 20;
const REASON = new RegExp(`Over ${METHODS_MAX} methods: `);

/** The comment above a class, its name and its body, as the formatters indent them. */
const CLASSES = {
  ts: /((?:^(?: \*|\/\*\*).*\n)*)^(?:export )?class (\w+)[^\n]*\{\n([\s\S]*?)^\}/gm,
  h: /((?:^\/\/.*\n)*)^class (\w+)[^\n;]*\{\n([\s\S]*?)^\};/gm,
} as const;
const METHODS = {
  ts: /^ {2}(?:static |async |get |set )*#?(?!constructor\()\w+(?:<[^>\n]*>)?\(.*$/gm,
  h: /^ {2}(?!explicit )(?:[\w:<>,&*[\] ]+ [&*]?)\w+\(/gm,
} as const;

/** Classes with more methods than that and no reason, with their number. */
export function largeClasses(files: readonly SourceFile[]): string[] {
  return files.flatMap(({ path, text }) => {
    const language = path.endsWith('.ts') ? 'ts' : 'h';
    return [...text.matchAll(CLASSES[language])].flatMap(([, above = '', name, body = '']) => {
      const own = body.replace(/^ {2}(?:struct|class|enum class) \w+[^\n;]*\{\n[\s\S]*?^ {2}\};\n/gm, '');
      const methods = (own.match(METHODS[language]) ?? []).length;
      return methods <= METHODS_MAX || REASON.test(above) ? [] : [`${path}: ${name} has ${methods} methods`];
    });
  });
}

/** What a TypeScript file imports: static, dynamic and re-exported, as written. */
export function importsOf(text: string): string[] {
  const code = text.replace(/\/\*[\s\S]*?\*\//g, '').replace(/^\s*\/\/.*$/gm, '');
  const found = code.matchAll(/(?:\bfrom|\bimport)\s*\(?\s*(['"])([^'"]+)\1/g);
  return [...found].map((match) => match[2] ?? '');
}

/**
 * Packages loaded by a file, transitively. Type imports are not counted, nor are dynamic imports, which load on
 * demand.
 */
export function packagesLoadedBy(entry: string, files: readonly SourceFile[]): Set<string> {
  const byPath = new Map(files.map((file) => [file.path, file.text]));
  const packages = new Set<string>();
  const seen = new Set<string>();
  const visit = (path: string): void => {
    if (seen.has(path)) return;
    seen.add(path);
    const text = byPath.get(path) ?? '';
    const code = text.replace(/\b(?:import|export) type\b[^;]*;/g, '').replace(/\bimport\(/g, '');
    for (const specifier of importsOf(code)) {
      if (specifier.startsWith('.'))
        visit(posix.join(posix.dirname(path), specifier).replace(/\.js$/, '.ts'));
      else packages.add(specifier);
    }
  };
  visit(entry);
  return packages;
}

/** What a C++ file includes from this repository. */
export function includesOf(text: string): string[] {
  return [...text.matchAll(/^\s*#\s*include\s+"([^"]+)"/gm)].map((match) => match[1] ?? '');
}

/** The room of a path below `root`: its folder, or its own name without the ending. */
function roomOf(path: string, root: string, arrows: Arrows): string {
  const [first = '', second, ...rest] = posix.relative(root, path).split('/');
  const inner = `${first}/${second}`;
  if (rest.length > 0 && Object.hasOwn(arrows, inner)) return inner;
  return first.replace(/\.[^.]+$/, '');
}

/** The rooms (folders) of files. */
export function roomsOf(files: readonly SourceFile[], root: 'src' | 'native'): string[] {
  const arrows = root === 'src' ? typescriptArrows : nativeArrows;
  return [...new Set(files.map(({ path }) => roomOf(path, root, arrows)))];
}

/** Every import that follows no arrow, as a sentence. */
export function brokenArrows(files: readonly SourceFile[]): string[] {
  return files.flatMap((file) =>
    importsOf(file.text)
      .filter((specifier) => specifier.startsWith('.'))
      .map((specifier) => posix.join(posix.dirname(file.path), specifier))
      .flatMap((target) => wrongStep(file.path, target, 'src', typescriptArrows)),
  );
}

/** The same for C++; includes are written from native/. */
export function brokenIncludes(files: readonly SourceFile[]): string[] {
  return files.flatMap((file) =>
    includesOf(file.text).flatMap((include) =>
      wrongStep(file.path, posix.join('native', include), 'native', nativeArrows),
    ),
  );
}

function wrongStep(path: string, target: string, root: string, arrows: Arrows): string[] {
  const from = roomOf(path, root, arrows);
  const to = roomOf(target, root, arrows);
  const allowed = arrows[from];
  if (!allowed) return [`${path}: the room ${from} has no arrows`];
  if (!target.startsWith(`${root}/`)) return [`${path}: imports ${target}, outside ${root}/`];
  return from === to || allowed.includes(to) ? [] : [`${path}: ${from} may not import ${to} (${target})`];
}

/** Imports of an owned package from anywhere but its owner. */
export function strayPackages(files: readonly SourceFile[]): string[] {
  return files.flatMap((file) =>
    importsOf(file.text)
      .filter((name) => Object.hasOwn(packageOwners, name) && packageOwners[name] !== file.path)
      .map((name) => `${file.path}: only ${packageOwners[name]} may import ${name}`),
  );
}

/** `console` belongs to the command line: everything else logs or returns. */
export function strayConsole(files: readonly SourceFile[]): string[] {
  return files
    .filter((file) => !file.path.startsWith('src/cli/') && /\bconsole\./.test(file.text))
    .map((file) => `${file.path}: console outside src/cli`);
}

/**
 * Files of a plural folder that its index does not name: they would never be used. `entry` tells those that are one
 * of the kind from what they share.
 */
export function missingFromIndex(folder: string, files: readonly SourceFile[], entry = /^/): string[] {
  const here = files.filter((file) => posix.dirname(file.path) === folder);
  const index = here.find((file) => file.path === `${folder}/index.ts`);
  if (!index) return [`${folder}: no index.ts`];
  const named = new Set(importsOf(index.text).map((name) => posix.join(folder, name)));
  return here
    .filter((file) => entry.test(file.text))
    .map((file) => file.path)
    .filter((path) => path !== index.path && !named.has(path.replace(/\.ts$/, '.js')))
    .map((path) => `${path}: not in ${folder}/index.ts`);
}

/** Arrows drawn in a text, one line per room: `plane → base model`; `a, b → nothing` covers several. */
export function drawnArrows(text: string): Arrows {
  const lines = text.matchAll(/^([\w/-]+(?:, [\w/-]+)*) → ([\w/ -]+)$/gm);
  return Object.fromEntries(
    [...lines].flatMap(([, rooms = '', to = '']) =>
      rooms.split(', ').map((room) => [room, to === 'nothing' ? [] : to.split(' ').toSorted()]),
    ),
  );
}

/** Actual arrows between rooms, in the form of `drawnArrows`. */
export function arrowsOf(arrows: Arrows, rooms: readonly string[]): Arrows {
  const there = (room: string) => rooms.includes(room);
  return Object.fromEntries(
    Object.entries(arrows)
      .filter(([room]) => there(room))
      .map(([room, to]) => [room, to.filter(there).toSorted()]),
  );
}
