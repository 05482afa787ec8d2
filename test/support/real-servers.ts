/**
 * Real servers as endpoints of an upstream: each on a port and in a folder of its own, taken down, stopped in its
 * tracks and brought back. Debian packages: test/support/tools.json.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, chownSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { freePort } from './ports.js';
import { accepts, cleanEnvironment, collect, dyingWithUs, runProgram } from './process.js';
import { type TempFolder, tempFolder } from './temp.js';
import { eventually, within } from './wait.js';

/** How a server is started. */
export interface Recipe {
  /** Programs that it takes. */
  readonly tools: readonly string[];
  /** User to become where the tests run as root: some servers refuse root. */
  readonly user?: string;
  /** Ends it, and in time. */
  readonly signal?: NodeJS.Signals;
  prepare?(folder: string, port: number): Promise<void> | void;
  command(folder: string, port: number): readonly [string, ...string[]];
  /** Takes away what it leaves outside of its folder. */
  cleanUp?(port: number): void;
}

const isRoot = process.getuid?.() === 0;

/** The command, as this user where the tests run as root. */
const asUser = (user: string | undefined, command: readonly string[]): string[] =>
  user === undefined || !isRoot ? [...command] : ['setpriv', ...becoming(user), '--clear-groups', ...command];

function becoming(user: string): string[] {
  const [uid, gid] = idsOf(user);
  return [`--reuid=${uid}`, `--regid=${gid}`];
}

export class RealServer {
  readonly #folder: TempFolder;
  #child: ChildProcess | null = null;

  private constructor(
    private readonly recipe: Recipe,
    readonly port: number,
  ) {
    this.#folder = tempFolder();
  }

  static async start(recipe: Recipe): Promise<RealServer> {
    const server = new RealServer(recipe, await freePort());
    if (recipe.user !== undefined && isRoot) {
      const [uid = 0, gid = 0] = idsOf(recipe.user);
      chownSync(server.folder, uid, gid);
    }
    await recipe.prepare?.(server.folder, server.port);
    await server.up();
    return server;
  }

  get folder(): string {
    return this.#folder.path;
  }

  get target(): string {
    return `127.0.0.1:${this.port}`;
  }

  /** Returns once it accepts connections. */
  async up(): Promise<void> {
    const command = this.recipe.command(this.folder, this.port);
    // As another user first: who becomes one is no longer killed with us.
    const [program = '', ...args] = asUser(this.recipe.user, dyingWithUs(command));
    // A group of its own: stopped as a whole.
    const child = spawn(program, args, {
      env: cleanEnvironment(),
      stdio: ['ignore', 'ignore', 'pipe'],
      detached: true,
      cwd: this.folder,
    });
    this.#child = child;
    const errors = collect(child.stderr);
    await eventually(`${command[0]} on port ${this.port}`, () => {
      if (child.exitCode !== null) throw new Error(`${command[0]} ended with ${child.exitCode}: ${errors()}`);
      return accepts(this.port);
    });
  }

  /** Of the server itself: what starts it has become it. */
  get pid(): number {
    return this.#child?.pid ?? -1;
  }

  /** Its port refuses connections afterwards. `signal`: `SIGKILL` is a crash, without good-bye to others. */
  async down(signal: NodeJS.Signals = this.recipe.signal ?? 'SIGTERM'): Promise<void> {
    const child = this.#child;
    if (child === null) return;
    this.#child = null;
    if (child.exitCode === null && child.signalCode === null) {
      const exit = once(child, 'exit');
      this.#signal(child, 'SIGCONT');
      this.#signal(child, signal);
      await within(`${this.recipe.tools[0]} to end`, exit, 20_000).catch(() => {});
    }
    this.#signal(child, 'SIGKILL');
    await eventually(`port ${this.port} to be closed`, async () => !(await accepts(this.port)));
  }

  /** The kernel goes on accepting for it; nobody answers. */
  freeze(): void {
    if (this.#child !== null) this.#signal(this.#child, 'SIGSTOP');
  }

  thaw(): void {
    if (this.#child !== null) this.#signal(this.#child, 'SIGCONT');
  }

  async remove(): Promise<void> {
    await this.down();
    this.recipe.cleanUp?.(this.port);
    this.#folder.remove();
  }

  #signal({ pid }: ChildProcess, signal: NodeJS.Signals): void {
    try {
      if (pid !== undefined) process.kill(-pid, signal);
    } catch {
      // The whole group has ended.
    }
  }
}

/** User and group id. */
function idsOf(user: string): number[] {
  const line = readFileSync('/etc/passwd', 'utf8')
    .split('\n')
    .find((each) => each.startsWith(`${user}:`));
  if (line === undefined) throw new Error(`no user ${user}`);
  return line.split(':').slice(2, 4).map(Number);
}

async function prepareWith(user: string | undefined, command: readonly string[]): Promise<void> {
  const [program = '', ...args] = asUser(user, command);
  const { status, stderr, stdout } = await runProgram(program, args, { cwd: '/' });
  if (status !== 0) throw new Error(`${command[0]} ended with ${status}: ${stderr || stdout}`);
}

/** Debian keeps each version's programs in a folder of its own. */
function postgresPrograms(): string {
  const versions = readdirSync('/usr/lib/postgresql').sort((one, two) => Number(two) - Number(one));
  return `/usr/lib/postgresql/${versions[0]}/bin`;
}

/** `extra`: further arguments. */
export const redisRecipe = (...extra: string[]): Recipe => ({
  tools: ['redis-server'],
  command: (folder, port) => [
    'redis-server',
    ...['--port', `${port}`, '--bind', '127.0.0.1', '--dir', folder, '--save', '', '--appendonly', 'no'],
    ...extra,
  ],
});

/** A self-signed certificate for `name` in `cert.pem` and `key.pem`. */
export async function makeCertificate(folder: string, name: string, days: number): Promise<void> {
  const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes'];
  const files = ['-keyout', `${folder}/key.pem`, '-out', `${folder}/cert.pem`];
  const names = ['-subj', `/CN=${name}`, '-addext', `subjectAltName=DNS:${name}`, '-days', `${days}`];
  await prepareWith(undefined, ['openssl', 'req', '-x509', ...key, ...files, ...names]);
}

/** nginx with `locations`; over TLS for `name` if there is one. */
export const nginxRecipe = (locations: string, tls?: { name: string; days: number }): Recipe => ({
  tools: ['nginx', 'openssl'],
  signal: 'SIGQUIT',
  async prepare(folder, port) {
    mkdirSync(`${folder}/www`);
    writeFileSync(`${folder}/www/index.html`, 'served by nginx\n');
    if (tls !== undefined) await makeCertificate(folder, tls.name, tls.days);
    const ssl =
      tls === undefined ? '' : `ssl_certificate ${folder}/cert.pem; ssl_certificate_key ${folder}/key.pem;`;
    const temps = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map(
      (kind) => `${kind}_temp_path ${folder};`,
    );
    writeFileSync(
      `${folder}/nginx.conf`,
      `daemon off; master_process off; worker_processes 1; pid ${folder}/pid; error_log stderr error;
      events { worker_connections 512; }
      http {
        access_log off; default_type text/plain; ${temps.join(' ')}
        server { listen 127.0.0.1:${port}${tls === undefined ? '' : ' ssl'}; ${ssl} root ${folder}/www; ${locations} }
      }`,
    );
  },
  command: (folder) => ['/usr/sbin/nginx', '-p', folder, '-c', `${folder}/nginx.conf`],
});

export const mariadbRecipe = (...extra: string[]): Recipe => ({
  tools: ['mariadbd', 'mariadb-install-db', 'setpriv'],
  user: 'nobody',
  signal: 'SIGKILL',
  async prepare(folder) {
    await prepareWith(this.user, [
      'mariadb-install-db',
      ...['--no-defaults', `--datadir=${folder}/data`, '--skip-test-db', '--skip-name-resolve'],
      '--auth-root-authentication-method=normal',
    ]);
    writeFileSync(`${folder}/init.sql`, "CREATE OR REPLACE USER 'anyport'@'%';\n");
    chmodSync(`${folder}/init.sql`, 0o644);
  },
  command: (folder, port) => [
    '/usr/sbin/mariadbd',
    ...['--no-defaults', `--datadir=${folder}/data`, `--socket=${folder}/socket`, '--skip-name-resolve'],
    ...[`--port=${port}`, '--bind-address=127.0.0.1', `--init-file=${folder}/init.sql`],
    ...['--innodb-buffer-pool-size=8M', '--innodb-log-file-size=4M', '--performance-schema=off'],
    ...extra,
  ],
});

export const postgresRecipe = (...extra: string[]): Recipe => ({
  tools: ['/usr/lib/postgresql', 'setpriv'],
  user: 'postgres',
  signal: 'SIGINT',
  async prepare(folder) {
    const options = ['-D', `${folder}/data`, '--no-sync', '--auth=scram-sha-256', '-U', 'postgres'];
    writeFileSync(`${folder}/password`, 'secret\n');
    await prepareWith(this.user, [`${postgresPrograms()}/initdb`, ...options, `--pwfile=${folder}/password`]);
  },
  command: (folder, port) => [
    `${postgresPrograms()}/postgres`,
    ...['-D', `${folder}/data`, '-p', `${port}`, '-h', '127.0.0.1', '-k', folder, '-F'],
    ...['-c', 'shared_buffers=1MB', ...extra],
  ],
});

/** OpenSMTPD: needs root, and has fixed places of its own, so only one at a time. */
export const smtpRecipe: Recipe = {
  tools: ['smtpd'],
  prepare(folder, port) {
    writeFileSync(
      `${folder}/smtpd.conf`,
      `listen on lo port ${port} hostname mail.example.com
action "keep" maildir "${folder}/mail"
match from any for any action "keep"
`,
      { mode: 0o600 },
    );
  },
  command: (folder) => ['/usr/sbin/smtpd', '-d', '-f', `${folder}/smtpd.conf`],
};

export const sshRecipe = (...options: string[]): Recipe => ({
  tools: ['sshd', 'ssh-keygen'],
  async prepare(folder) {
    mkdirSync('/run/sshd', { recursive: true });
    await prepareWith(undefined, ['ssh-keygen', '-q', '-t', 'ed25519', '-N', '', '-f', `${folder}/host`]);
  },
  command: (folder, port) => [
    '/usr/sbin/sshd',
    ...['-D', '-e', '-f', '/dev/null', '-p', `${port}`, '-h', `${folder}/host`, '-o', 'PidFile=none'],
    ...['ListenAddress=127.0.0.1', 'UsePAM=no', ...options].flatMap((option) => ['-o', option]),
  ],
});

/** slapd without a database: its root DSE is there. */
export const ldapRecipe = (config = ''): Recipe => ({
  tools: ['slapd'],
  prepare: (folder) => writeFileSync(`${folder}/slapd.conf`, `${config}\n`),
  command: (folder, port) => [
    '/usr/sbin/slapd',
    ...['-d', '0', '-f', `${folder}/slapd.conf`, '-h', `ldap://127.0.0.1:${port}`],
  ],
});

export const mqttRecipe = (...config: string[]): Recipe => ({
  tools: ['mosquitto'],
  prepare(folder, port) {
    const text = [`listener ${port} 127.0.0.1`, ...config].join('\n');
    writeFileSync(`${folder}/mosquitto.conf`, `${text}\n`);
    // It becomes a user of its own.
    chmodSync(folder, 0o755);
    chmodSync(`${folder}/mosquitto.conf`, 0o644);
  },
  command: (folder) => ['/usr/sbin/mosquitto', '-c', `${folder}/mosquitto.conf`],
});

/** Knows `known.example` and no other name; the rest it refuses. */
export const dnsRecipe: Recipe = {
  tools: ['dnsmasq'],
  command: (_, port) => [
    '/usr/sbin/dnsmasq',
    ...['--keep-in-foreground', '--conf-file=/dev/null', '--pid-file=', '--user=root', '--group=root'],
    ...[`--port=${port}`, '--listen-address=127.0.0.1', '--bind-interfaces', '--no-resolv', '--no-hosts'],
    ...['--local=/example/', '--address=/known.example/192.0.2.7'],
  ],
};

export const stunRecipe: Recipe = {
  tools: ['turnserver'],
  command: (folder, port) => [
    'turnserver',
    ...['-n', '--listening-ip', '127.0.0.1', '--listening-port', `${port}`, '--no-tls', '--no-dtls'],
    ...['--no-cli', '--no-auth', '--log-file', '/dev/null', '--pidfile', `${folder}/pid`],
    ...['--userdb', `${folder}/turndb`, '--relay-threads', '1'],
  ],
};
