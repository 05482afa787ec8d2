/** Programs present and missing on this machine, and the Debian packages that contain them. */
import { accessSync, constants, existsSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { run } from './run.mjs';

const folders = [...(process.env.PATH ?? '').split(':'), '/usr/sbin', '/sbin'];

/** True for a program on PATH, or an absolute path that exists. */
function has(tool) {
  if (tool.startsWith('/')) return existsSync(tool);
  return folders.some((folder) => isExecutable(join(folder, tool)));
}

function isExecutable(path) {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/** `tools`: program → package. Returns the packages of missing programs. */
export function missingPackages(tools) {
  const missing = Object.keys(tools).filter((tool) => !has(tool));
  return [...new Set(missing.map((tool) => tools[tool]))];
}

const mayInstall = () => process.getuid?.() === 0 && existsSync('/etc/debian_version') && has('apt-get');

/** Installs missing packages if permitted: as root on Debian. Returns what is still missing. */
export function provide(tools) {
  const packages = missingPackages(tools);
  if (packages.length === 0 || !mayInstall()) return packages;
  console.log(`installing ${packages.join(' ')}`);
  // stdout is dropped (progress output); errors are on stderr.
  const options = {
    stdio: ['ignore', 'ignore', 'inherit'],
    env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' },
  };
  withoutServices(() => {
    run('apt-get', ['update'], options);
    run('apt-get', ['install', '-y', '--no-install-recommends', ...packages], options);
  });
  return missingPackages(tools);
}

/** Asked by package scripts whether they may start a service (Debian Policy, invoke-rc.d). */
const SERVICE_POLICY = '/usr/sbin/policy-rc.d';
const FORBIDDEN = '#!/bin/sh\nexit 101\n';

/** Servers are installed for tests, which start their own: none of the packages' may be left running. */
function withoutServices(install) {
  if (existsSync(SERVICE_POLICY)) return install();
  writeFileSync(SERVICE_POLICY, FORBIDDEN, { mode: 0o755 });
  try {
    return install();
  } finally {
    rmSync(SERVICE_POLICY);
  }
}

/** The install command, for messages. */
export const installCommand = (packages) =>
  `apt-get update && apt-get install -y --no-install-recommends ${packages.join(' ')}`;
