/** Versions of what is compared, for the heading. */
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';

export const haproxyVersion = (): string | undefined =>
  /version (\S+)/.exec(spawnSync('haproxy', ['-v'], { encoding: 'utf8' }).stdout ?? '')?.[1];

/** On standard error, unlike others. */
export const nginxVersion = (): string | undefined =>
  /nginx\/(\S+)/.exec(spawnSync('nginx', ['-v'], { encoding: 'utf8' }).stderr ?? '')?.[1];

/** Of the package: the program says the name of its source file too. */
export const sslhVersion = (): string | undefined =>
  /(\d+\.\S+)/.exec(spawnSync('/usr/sbin/sslh', ['-V'], { encoding: 'utf8' }).stdout ?? '')?.[1];

/** Of the package: the program says `SELFBUILD`. */
const kcptunVersion = (): string | undefined =>
  /^Version: (\S+)/m.exec(spawnSync('dpkg', ['-s', 'kcptun'], { encoding: 'utf8' }).stdout ?? '')?.[1];

const squidVersion = (): string | undefined =>
  /Version (\S+)/.exec(spawnSync('/usr/sbin/squid', ['-v'], { encoding: 'utf8' }).stdout ?? '')?.[1];

const rivalVersions = {
  HAProxy: haproxyVersion,
  nginx: nginxVersion,
  sslh: sslhVersion,
  kcptun: kcptunVersion,
  squid: squidVersion,
};

/** `others`: name → folder of another checkout. */
export function versions(
  others: Readonly<Record<string, string>> = {},
  ...rivals: readonly (keyof typeof rivalVersions)[]
): Record<string, string> {
  const { version } = JSON.parse(readFileSync('package.json', 'utf8')) as { version: string };
  const found = rivals.map((rival) => [rival, rivalVersions[rival]()]).filter(([, version]) => version);
  return {
    anyport: `${version}${commitOf('.')}`,
    ...Object.fromEntries(
      Object.entries(others).map(([name, folder]) => [name, `${folder}${commitOf(folder)}`]),
    ),
    Node: process.versions.node,
    ...Object.fromEntries(found),
  };
}

function commitOf(folder: string): string {
  const { stdout } = spawnSync('git', ['-C', folder, 'rev-parse', '--short', 'HEAD'], { encoding: 'utf8' });
  return stdout ? ` (${stdout.trim()})` : '';
}
