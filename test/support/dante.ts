/** Dante (danted) as a SOCKS server: versions 4 and 5, not 4a; users as those of the system, which takes root. */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { runProgram } from './process.js';
import { RealServer, type Recipe } from './real-servers.js';

export const danteTools = ['danted', 'openssl', 'unshare', 'mount'] as const;

export interface DanteOptions {
  /** Name → password; without: everybody may, and nobody is asked. Takes root. */
  readonly users?: Readonly<Record<string, string>>;
  /** Networks that it refuses, such as `127.0.0.9/32`. */
  readonly refused?: readonly string[];
  /** Name → address: what it knows of names beside the system's resolver. Takes root. */
  readonly hosts?: Readonly<Record<string, string>>;
}

/** A connection that it has made for a client. */
export interface DanteConnect {
  readonly target: string;
  readonly user: string | null;
}

const config = (folder: string, port: number, { users, refused = [] }: DanteOptions): string =>
  [
    `logoutput: ${folder}/log`,
    `internal: 127.0.0.1 port = ${port}`,
    'external: lo',
    'clientmethod: none',
    `socksmethod: ${users === undefined ? 'none' : 'username'}`,
    ...(process.getuid?.() === 0 ? ['user.privileged: root', 'user.unprivileged: nobody'] : []),
    'client pass { from: 0/0 to: 0/0 }',
    ...refused.map((network) => `socks block { from: 0/0 to: ${network} }`),
    'socks pass { from: 0/0 to: 0/0 log: connect }',
    '',
  ].join('\n');

/** Files of the system that are others for it. */
const files = { passwd: 0o644, shadow: 0o600, hosts: 0o644 } as const;
type SystemFile = keyof typeof files;

const FIRST_UID = 61_001;

async function accounts(
  users: Readonly<Record<string, string>>,
): Promise<Record<'passwd' | 'shadow', string>> {
  const lines = Object.entries(users).map(async ([name, password], n) => {
    const { stdout } = await runProgram('openssl', ['passwd', '-6', password]);
    const id = FIRST_UID + n;
    return [
      `${name}:x:${id}:${id}::/nonexistent:/usr/sbin/nologin\n`,
      `${name}:${stdout.trim()}:19000:0:99999:7:::\n`,
    ] as const;
  });
  const all = await Promise.all(lines);
  return {
    passwd: readFileSync('/etc/passwd', 'utf8') + all.map(([passwd]) => passwd).join(''),
    shadow: readFileSync('/etc/shadow', 'utf8') + all.map(([, shadow]) => shadow).join(''),
  };
}

const hostsText = (hosts: Readonly<Record<string, string>>): string =>
  Object.entries({ localhost: '127.0.0.1', ...hosts })
    .map(([name, address]) => `${address} ${name}\n`)
    .join('');

const replaced = ({ users, hosts }: DanteOptions): SystemFile[] => [
  ...(users === undefined ? [] : (['passwd', 'shadow'] as const)),
  ...(hosts === undefined ? [] : (['hosts'] as const)),
];

const danteRecipe = (options: DanteOptions): Recipe => ({
  tools: danteTools,
  async prepare(folder, port) {
    writeFileSync(`${folder}/danted.conf`, config(folder, port, options));
    const texts: Partial<Record<SystemFile, string>> = {
      ...(options.users && (await accounts(options.users))),
      ...(options.hosts && { hosts: hostsText(options.hosts) }),
    };
    for (const [name, text] of Object.entries(texts)) {
      writeFileSync(`${folder}/${name}`, text, { mode: files[name as SystemFile] });
    }
  },
  command(folder) {
    const danted = ['/usr/sbin/danted', '-N', '1', '-f', `${folder}/danted.conf`, '-p', `${folder}/pid`];
    if (process.getuid?.() !== 0) return danted as [string, ...string[]];
    // It becomes other users, and is killed with us as the rest of a process namespace is with its first process.
    const mounts = replaced(options).map((name) => `mount --bind ${folder}/${name} /etc/${name}`);
    const inside = [...mounts, '{ "$@" & wait; }'].join(' && ');
    return [
      'unshare',
      ...['-m', '--pid', '--fork', '--kill-child=KILL'],
      'sh',
      '-c',
      inside,
      'sh',
      ...danted,
    ];
  },
});

export const startDante = (options: DanteOptions = {}): Promise<RealServer> =>
  RealServer.start(danteRecipe(options));

/** Connections made for clients, oldest first. */
export function danteConnects({ folder }: RealServer): DanteConnect[] {
  const file = `${folder}/log`;
  if (!existsSync(file)) return [];
  const connect = /pass\(\d+\): tcp\/connect \[: (?:username%(\S+?)@)?\S+ \S+ -> \S+ (\S+)\.(\d+)$/gm;
  return [...readFileSync(file, 'utf8').matchAll(connect)].map(([, user, host, port]) => ({
    target: `${host}:${port}`,
    user: user ?? null,
  }));
}
