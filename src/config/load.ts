/** From user input to Config: file, flags, or the embedded default. */
import { existsSync } from 'node:fs';
import { availableParallelism, hostname } from 'node:os';
import { dirname, resolve } from 'node:path';
import { parseListen } from '../base/address.js';
import { ownAddresses } from '../base/own-addresses.js';
import type { Config, Demo, Document, Problem } from '../model/config.js';
import type { Contribution, Fragment } from '../providers/contribution.js';
import { systemAccounts } from './accounts.js';
import { applyClusterEnvironment } from './cluster-environment.js';
import { mergeContributions } from './contributions/index.js';
import { DEFAULT_FILE, DEMO_ADDRESS, demoConfig } from './default.js';
import { documentSource } from './document.js';
import type { Environment } from './environment.js';
import {
  authorities,
  fileKind,
  keyFile,
  listFault,
  programFault,
  targetFile,
  usersFile,
  writeFault,
} from './file-kind.js';
import { applyFlags, type Flags } from './flags.js';
import { withIncluded } from './include/index.js';
import { type Kernel, readKernel } from './kernel.js';
import { keyFilesOf } from './modules.js';
import { readConfig } from './read.js';
import { mayUse } from './rights.js';
import type { Source } from './source.js';
import { readFileText } from './text.js';
import type { Context } from './validate/context.js';
import { validate } from './validate/index.js';

export type LoadRequest = FileRequest | DocumentRequest;

export interface FileRequest {
  /** Null: DEFAULT_FILE if it exists, else routes and forwards from flags, else the demonstration. */
  readonly file: string | null;
  readonly flags: Flags;
  readonly environment: Environment;
  /** Default: this machine's. */
  readonly kernel?: Kernel;
  /** What providers add. */
  readonly contributions?: readonly Contribution[];
}

/** A configuration as plain data, from the control interface or the library. */
export interface DocumentRequest {
  /** In the file's shape; checked as a file is. */
  readonly document: unknown;
  /** Base of relative module paths. */
  readonly directory: string;
  /** Functions that it may name where modules are named (src/base/user-module.ts). */
  readonly local?: readonly string[];
  /** They win over the document, as over a file. */
  readonly flags?: Flags;
  readonly contributions?: readonly Contribution[];
}

export type Loaded =
  | {
      readonly ok: true;
      readonly name: string;
      readonly config: Config;
      /** Without contributions. */
      readonly document: Document;
      /** Base of the document's relative module paths: absolute. */
      readonly directory: string;
      /** What to watch for changes: absolute paths of files and folders, there or not. */
      readonly files: readonly string[];
      readonly warnings: readonly Problem[];
      /** Contributions that are left out, and why. */
      readonly refused: readonly Problem[];
      /** What of contributions is not left out. */
      readonly taken: readonly Contribution<Fragment>[];
      /** Null unless it is the demonstration. */
      readonly demo: Demo | null;
    }
  | { readonly ok: false; readonly problems: readonly Problem[]; readonly files: readonly string[] };

interface Written {
  /** Name in messages. */
  readonly name: string;
  /** Null when not read from a file. */
  readonly file: string | null;
  readonly text: string;
  readonly demo: Demo | null;
}

/** `seen` gets what was read, with the positions of its keys, and what is merged with it. */
export function loadConfig(request: LoadRequest, seen: (source: Source) => void = () => {}): Loaded {
  return 'document' in request ? loadDocument(request) : loadFile(request, seen);
}

function loadDocument({
  document,
  directory,
  local = [],
  flags = {},
  contributions,
}: DocumentRequest): Loaded {
  const base = resolve(directory);
  return loaded(
    applyFlags(documentSource(document), flags),
    { name: 'document', directory: base, files: [], demo: null },
    { local, ...(contributions && { contributions }) },
  );
}

function loadFile(
  { file, flags, environment, kernel, contributions }: FileRequest,
  seen: (source: Source) => void,
): Loaded {
  const written = find(file, flags);
  const files = [resolve(file ?? DEFAULT_FILE)];
  if ('message' in written) return { ok: false, problems: [written], files };
  // One that is being written again: taken as it is, it would close everything.
  if (written.file !== null && written.text.trim() === '') {
    const problem = { file: written.file, line: null, column: null, path: '', message: 'is empty' };
    return { ok: false, problems: [problem], files };
  }
  const read = readConfig(written.text, written.file, environment);
  if (read.problems.length > 0) return { ok: false, problems: read.problems, files };
  const { name, demo } = written;
  const whole = withIncluded(read.source, written.file ?? DEFAULT_FILE, environment);
  files.push(...whole.files);
  if (whole.problems.length > 0) return { ok: false, problems: whole.problems, files };
  const directory = dirname(resolve(written.file ?? DEFAULT_FILE));
  const source = applyFlags(
    applyClusterEnvironment(whole.source, environment),
    demo ? { ...flags, listen: undefined } : flags,
  );
  return loaded(
    source,
    { name, directory, files, demo },
    {
      ...(kernel && { kernel }),
      ...(contributions && { contributions }),
      seen,
    },
  );
}

type About = Pick<Extract<Loaded, { ok: true }>, 'name' | 'directory' | 'files' | 'demo'>;

interface Around {
  readonly local?: readonly string[];
  readonly kernel?: Kernel;
  readonly contributions?: readonly Contribution[];
  readonly seen?: (source: Source) => void;
}

function loaded(
  source: Source,
  about: About,
  { local = [], kernel = readKernel(), contributions = [], seen = () => {} }: Around,
): Loaded {
  // They are read with the configuration, and so when they change.
  const files = [...about.files, ...keyFilesOf(source.value, about.directory)];
  const context: Context = {
    directory: about.directory,
    fileKind,
    listFault,
    writeFault,
    keyFile,
    usersFile,
    authorities,
    targetFile,
    programFault,
    cores: availableParallelism(),
    addresses: ownAddresses().map(({ address }) => address),
    hostName: hostname(),
    nowMs: Date.now(),
    kernel,
    accounts: systemAccounts,
    mayUse,
    local,
  };
  const merged = mergeContributions(source, contributions, (each) => validate(each, context));
  const { validated, refused, taken } = merged;
  seen(merged.source);
  if (!validated.ok) return { ...validated, files };
  return { ...validated, ...about, files, refused, taken, document: source.value as Document };
}

function find(file: string | null, flags: Flags): Written | Problem {
  if (file !== null) return readText(file);
  if (existsSync(DEFAULT_FILE)) return readText(DEFAULT_FILE);
  const { listen, route, forward } = flags;
  // A malformed address is reported for the flag, not for the key.
  const misspelled = listen?.some((address) => parseListen(address) === null);
  if (route !== undefined || forward !== undefined || misspelled)
    return { name: 'flags', file: null, text: '', demo: null };
  const text = demoConfig(listen ?? [DEMO_ADDRESS]);
  return {
    name: 'embedded default',
    file: null,
    text,
    demo: { moves: listen === undefined, yieldsAdmin: flags.admin === undefined },
  };
}

function readText(file: string): Written | Problem {
  const read = readFileText(file);
  return 'text' in read ? { name: file, file, text: read.text, demo: null } : { file, path: '', ...read };
}
