/** A configuration from text to Config, with the world it is checked against given as data. */

import type { Accounts } from '../../src/config/accounts.js';
import type { Environment } from '../../src/config/environment.js';
import type { SecretFile } from '../../src/config/file-kind.js';
import { applyFlags, type Flags } from '../../src/config/flags.js';
import { readConfig } from '../../src/config/read.js';
import { formatProblem, formatWarning } from '../../src/config/report.js';
import type { Source } from '../../src/config/source.js';
import { type Validated, validate } from '../../src/config/validate/index.js';
import type { Config } from '../../src/model/config.js';

export interface World {
  readonly environment?: Environment;
  readonly flags?: Flags;
  readonly files?: readonly string[];
  readonly programs?: readonly string[];
  /** What can not be written, and why. */
  readonly faults?: Readonly<Record<string, string>>;
  /** Private keys by path. */
  readonly keys?: Readonly<Record<string, SecretFile>>;
  /** Files of users by path. */
  readonly userFiles?: Readonly<Record<string, SecretFile>>;
  /** What the user of `server.user` may not do: `read /etc/a.mjs`. */
  readonly denied?: readonly string[];
  /** CAP_NET_ADMIN. */
  readonly mayAdminister?: boolean;
  readonly nowMs?: number;
}

const accounts: Accounts = {
  user: (key) => users.find(({ name, uid }) => key === name || key === String(uid)) ?? null,
  group: (key) => groups.find(({ name, gid }) => key === name || key === String(gid)) ?? null,
  groupsOf: () => [],
};
const users = [
  { name: 'root', uid: 0, gid: 0 },
  { name: 'anyport', uid: 990, gid: 980 },
];
const groups = [{ name: 'ssl-cert', gid: 117 }];

export function checkText(text: string, world: World = {}): Validated {
  const { environment = {}, flags = {} } = world;
  const { source, problems } = readConfig(text, 'any.yaml', environment);
  return problems.length > 0 ? { ok: false, problems } : validateSource(applyFlags(source, flags), world);
}

export function validateSource(source: Source, world: World = {}): Validated {
  const {
    files = [],
    programs = [],
    faults = {},
    keys = {},
    userFiles = {},
    denied = [],
    mayAdminister = true,
    nowMs = Date.now(),
  } = world;
  return validate(source, {
    directory: '/etc/anyport',
    fileKind: (path) => (files.includes(path) ? 'module' : 'none'),
    listFault: (path) => (files.includes(path) ? null : 'no such file'),
    writeFault: (path) => faults[path] ?? null,
    keyFile: (path) => keys[path] ?? { fault: 'no such file' },
    usersFile: (path) => userFiles[path] ?? { fault: 'no such file' },
    authorities: (path) => keys[path] ?? { fault: 'no such file' },
    targetFile: (path) => keys[path] ?? { fault: 'no such file' },
    programFault: (path) => (programs.includes(path) ? null : 'no such file'),
    cores: 3,
    addresses: ['192.0.2.9', '2001:db8::9'],
    hostName: 'gateway',
    nowMs,
    kernel: {
      congestion: ['cubic', 'reno', 'bbr'],
      congestionForAll: ['cubic', 'reno'],
      mayAdminister,
      mayBeTransparent: mayAdminister,
      interfaces: ['lo', 'eth0'],
    },
    accounts,
    mayUse: (path, right) => !denied.includes(`${right} ${path}`),
  });
}

/** The problems as the user reads them. */
export function problemsOf(text: string, world?: World): string[] {
  const checked = checkText(text, world);
  return checked.ok ? [] : checked.problems.map(formatProblem);
}

export function configOf(text: string, world?: World): Config {
  return accepted(text, world).config;
}

/** Without their places. */
export function warningsOf(text: string, world?: World): readonly string[] {
  return accepted(text, world).warnings.map(({ path, message }) =>
    path === '' ? message : `${path}: ${message}`,
  );
}

export function warningLinesOf(text: string, world?: World): readonly string[] {
  return accepted(text, world).warnings.map((warning) => formatWarning(warning, 'any.yaml'));
}

function accepted(text: string, world?: World) {
  const checked = checkText(text, world);
  if (!checked.ok) throw new Error(checked.problems.map(formatProblem).join('\n'));
  return checked;
}
