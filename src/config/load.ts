/** From user input to Config: file, flags, or the embedded default. */
import { existsSync } from 'node:fs';
import { availableParallelism, hostname } from 'node:os';
import { dirname, resolve } from 'node:path';
import { parseListen } from '../base/address.js';
import { ownAddresses } from '../base/own-addresses.js';
import type { Config, Demo, Problem } from '../model/config.js';
import { DEFAULT_FILE, DEMO_ADDRESS, demoConfig } from './default.js';
import type { Environment } from './environment.js';
import { applyFlags, type Flags } from './flags.js';
import { readConfig } from './read.js';
import { readFileText } from './text.js';
import { validate } from './validate/index.js';

export interface LoadRequest {
  /** Null: DEFAULT_FILE if it exists, else routes from flags, else the demonstration. */
  readonly file: string | null;
  readonly flags: Flags;
  readonly environment: Environment;
}

export type Loaded =
  | {
      readonly ok: true;
      readonly name: string;
      readonly config: Config;
      readonly warnings: readonly Problem[];
      /** Null unless it is the demonstration. */
      readonly demo: Demo | null;
    }
  | { readonly ok: false; readonly problems: readonly Problem[] };

interface Written {
  /** Name in messages. */
  readonly name: string;
  /** Null when not read from a file. */
  readonly file: string | null;
  readonly text: string;
  readonly demo: Demo | null;
}

export function loadConfig({ file, flags, environment }: LoadRequest): Loaded {
  const written = find(file, flags);
  if ('message' in written) return { ok: false, problems: [written] };
  const { source, problems } = readConfig(written.text, written.file, environment);
  if (problems.length > 0) return { ok: false, problems };
  const result = validate(applyFlags(source, written.demo ? { ...flags, listen: undefined } : flags), {
    directory: dirname(resolve(written.file ?? DEFAULT_FILE)),
    fileExists: existsSync,
    cores: availableParallelism(),
    addresses: ownAddresses().map(({ address }) => address),
    hostName: hostname(),
  });
  return result.ok ? { ...result, name: written.name, demo: written.demo } : result;
}

function find(file: string | null, flags: Flags): Written | Problem {
  if (file !== null) return readText(file);
  if (existsSync(DEFAULT_FILE)) return readText(DEFAULT_FILE);
  const { listen, route } = flags;
  // A malformed address is reported for the flag, not for the key.
  const misspelled = listen?.some((address) => parseListen(address) === null);
  if (route !== undefined || misspelled) return { name: 'flags', file: null, text: '', demo: null };
  const text = demoConfig(listen ?? [DEMO_ADDRESS]);
  return { name: 'embedded default', file: null, text, demo: { moves: listen === undefined } };
}

function readText(file: string): Written | Problem {
  const read = readFileText(file);
  return 'text' in read ? { name: file, file, text: read.text, demo: null } : { file, path: '', ...read };
}
