/** `anyport doctor` on this machine: as another user, with fewer files, less memory, and beside a running daemon. */
import { chmodSync, existsSync, mkdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { countText } from '../../src/base/figures.js';
import { anyport, launchDaemon, startDaemon } from '../support/daemon.js';
import { freePort } from '../support/ports.js';
import { type Finished, runProgram } from '../support/process.js';
import { echo, listenTcp } from '../support/tcp.js';
import { tempFolder } from '../support/temp.js';
import { describeAsRoot, describeWith } from '../support/tools.js';
import { eventually } from '../support/wait.js';

const folder = tempFolder();
chmodSync(folder.path, 0o755); // another user reads it, too
afterAll(() => folder.remove());

function file(name: string, document: object): string {
  const path = `${folder.path}/${name}`;
  writeFileSync(path, JSON.stringify(document));
  return path;
}

const redis = { protocols: [{ name: 'Redis', target: '127.0.0.1:6379' }] };
const small = file('small.yaml', { ...redis, server: { listen: ':9090', workers: 1, max_connections: 10 } });

/** `anyport doctor`, run by a command. */
const doctor = (wrapper: readonly string[], ...args: string[]): Promise<Finished> => {
  const [command = process.execPath, ...rest] = [
    ...wrapper,
    process.execPath,
    resolve('dist/cli/main.js'),
    'doctor',
    ...args,
  ];
  return runProgram(command, rest);
};

interface Told {
  readonly check: string;
  readonly verdict: string;
  readonly needed: string;
  readonly there: string;
  readonly why?: string;
  readonly remedies?: readonly string[];
}

async function findings(wrapper: readonly string[], ...args: string[]): Promise<Map<string, Told>> {
  const { stdout, stderr } = await doctor(wrapper, '--json', ...args);
  expect(stdout, stderr).not.toBe('');
  const told: { findings: Told[] } = JSON.parse(stdout);
  return new Map(told.findings.map((each) => [each.check, each]));
}

/** Its own modules take a hundred files while they load. */
const many = file('many.yaml', { ...redis, server: { listen: ':9090', workers: 1, max_connections: 500 } });

describe('what it prints', () => {
  test('a table of all, what to do about the rest, and how many of each', async () => {
    const { stdout } = await anyport(['doctor', '-c', small]);
    expect(stdout).toMatch(/^ +needed +there\n(?:ok|short|note|unknown) +open files +\d+ /);
    expect(stdout).toMatch(/\nok +local ports +10 to 127\.0\.0\.1:6379 +[\d,]+ \(\d+–\d+\)\n/);
    expect(stdout).toMatch(/\n\d+ ok(?:, \d+ short)?(?:, \d+ to note)?(?:, \d+ unknown)?\n$/);
    const { stdout: all } = await anyport(['doctor', small, '--all']);
    expect(all).toMatch(/\nopen files\n {2,}20 +10 connections x 2 +the socket of the client/);
    expect(all).toMatch(/\nmemory\n {2,}64\.0 MiB +of the process +Node and the primary\n/);
  });

  test('a bad configuration is status 2, and nothing is compared', async () => {
    const bad = file('bad.yaml', { server: { workers: 0 } });
    const { status, stdout, stderr } = await anyport(['doctor', bad]);
    expect({ status, stdout }).toEqual({ status: 2, stdout: '' });
    expect(stderr).toMatch(/server\.workers: expected/);
    expect((await anyport(['doctor', `${folder.path}/none.yaml`])).status).toBe(2);
    expect((await anyport(['doctor'], folder.path)).stderr).toMatch(
      /there is no \.\/anyport\.yaml here: name a file/,
    );
    const strange = await anyport(['doctor', small, '--pid', '4194305']);
    expect(strange).toMatchObject({ status: 2, stdout: '' });
    expect(strange.stderr).toMatch(/there is no such process/);
  });
});

describeWith('prlimit')('open files', () => {
  test('enough: status 0 unless something else is short; too few: status 1 and the command', async () => {
    const files = (await findings([], '-c', many)).get('open_files');
    expect(files?.verdict).toBe('ok');
    const needed = Number(files?.needed.replace(',', ''));
    const few = ['prlimit', `--nofile=${needed - 1}:${needed - 1}`];
    const { status, stdout, stderr } = await doctor(few, many);
    expect(status).toBe(1);
    expect(stdout).toMatch(
      new RegExp(`\\nshort +open files +${countText(needed)} +${countText(needed - 1)}\\n`),
    );
    expect(stdout).toMatch(
      new RegExp(
        '\\nshort {2}open files: max_connections is lowered to 499 at start\\n' +
          ` {4}ulimit -n ${needed} {2}# as root; in a systemd unit: LimitNOFILE=${needed}\\n` +
          ' {4}server\\.max_connections: 499 {2}# instead\\n',
      ),
    );
    expect(stderr).toMatch(/^anyport: \d+ shortfalls? for /);
  });

  test('of a running daemon: it says what the daemon has done', async () => {
    const upstream = await listenTcp(echo);
    const daemon = await startDaemon(
      { protocols: [{ name: 'Redis', target: upstream.target }] },
      { wrapper: ['prlimit', '--nofile=300:300'] },
    );
    const effective = await daemon.metric('anyport_max_connections');
    const config = `${daemon.folder.path}/anyport.yaml`;
    const told = await findings([], '-c', config, '--pid', String(daemon.pid));
    expect(told.get('open_files')).toMatchObject({
      verdict: 'short',
      there: '300',
      why: `max_connections is lowered to ${effective} at start`,
    });
    await daemon.stop();
    await upstream.close();
  });
});

describeAsRoot('as another user', () => {
  const nobody = ['setpriv', '--reuid=65534', '--regid=65534', '--clear-groups'];

  test('ports and capabilities that only root has are short', async () => {
    const privileged = file('privileged.yaml', {
      ...redis,
      server: { listen: ':443', workers: 1 },
      upstreams: { a: { endpoints: ['127.0.0.1:6379'], source: { transparent: true } } },
      protocols: [{ name: 'Redis', target: 'a' }],
    });
    const [root, user] = [await findings([], privileged), await findings(nobody, privileged)];
    for (const check of ['low_ports', 'transparent']) {
      expect(root.get(check)?.verdict).toBe('ok');
      expect(user.get(check)?.verdict).toBe('short');
    }
    expect(user.get('low_ports')?.needed).toBe('CAP_NET_BIND_SERVICE for 443');
    expect(root.get('identity')).toMatchObject({ verdict: 'note', there: 'root' });
    expect(user.get('identity')).toMatchObject({ verdict: 'ok', there: 'uid 65534' });
    expect(root.get('pipes')?.there).toBe('no limit for this user');
    expect(user.get('pipes')?.there).toMatch(/pages$/);
  });
});

describeAsRoot('rules for the answers of endpoints', () => {
  test('its commands mend it: asked again, it finds the rule', async () => {
    const config = file('transparent.yaml', {
      server: { listen: ':9090', workers: 1 },
      upstreams: { a: { endpoints: ['10.0.0.1:6379'], source: { transparent: true } } },
      protocols: [{ name: 'Redis', target: 'a' }],
    });
    const inNamespace = (prepare: string) => [
      'unshare',
      '-n',
      'sh',
      '-c',
      `ip link set lo up && ${prepare}exec "$@"`,
      'sh',
    ];
    const before = (await findings(inNamespace(''), config)).get('local_delivery');
    expect(before?.verdict).toBe('short');
    // Marks of packets are netfilter's, which a test machine may lack.
    const [, ...commands] = before?.remedies ?? [];
    expect(commands).toHaveLength(2);
    const mended = commands.map((command) => `${command.replace(/#.*/, '')} && `).join('');
    expect((await findings(inNamespace(mended), config)).get('local_delivery')?.verdict).toBe('ok');
  });

  test('at its start the daemon says that local ports are short', async () => {
    const ports = 'echo "40000 40009" > /proc/sys/net/ipv4/ip_local_port_range';
    const wrapper = ['unshare', '-n', 'sh', '-c', `ip link set lo up && ${ports} && exec "$@"`, 'sh'];
    const daemon = await launchDaemon(
      { ...redis, server: { max_connections: 11, listen: `127.0.0.1:${await freePort()}` } },
      { wrapper },
    );
    const line = await eventually('the warning', () =>
      daemon.lines.find(({ msg }) => msg.startsWith('short of local ports: ')),
    );
    expect(line).toMatchObject({ level: 'warn', needed: '11 to 127.0.0.1:6379', there: '10 (40000–40009)' });
    expect(line.remedies).toContain('sysctl -w net.ipv4.ip_local_port_range="1024 65535"');
    await daemon.ready();
    await daemon.stop();
  });
});

/** Where groups with a memory limit can be made: by the first version, or by the second if its root hands the controller on. */
const memoryGroup = [
  ['/sys/fs/cgroup/memory', 'memory.limit_in_bytes', /./],
  ['/sys/fs/cgroup', 'cgroup.subtree_control', /\bmemory\b/],
].find(([root, file, says]) => {
  const path = `${root}/${file}`;
  return existsSync(path) && (says as RegExp).test(readFileSync(path, 'utf8'));
})?.[0];

describeAsRoot('in a control group', () => {
  test.runIf(memoryGroup !== undefined)('its memory limit is what there is', async () => {
    const group = `${memoryGroup}/anyport-doctor-${process.pid}`;
    mkdirSync(group);
    try {
      const limit = ['memory.limit_in_bytes', 'memory.max'].find((each) => existsSync(`${group}/${each}`));
      writeFileSync(`${group}/${limit}`, String(250 * 2 ** 20));
      const wrapper = ['sh', '-c', `echo $$ > ${group}/cgroup.procs && exec "$@"`, 'sh'];
      const told = (await findings(wrapper, small)).get('memory');
      expect(told).toMatchObject({ verdict: 'note', there: '250.0 MiB (control group)' });
      expect(told?.remedies?.[0]).toMatch(/^MemoryMax=\d+M /);
    } finally {
      rmdirSync(group);
    }
  });
});
