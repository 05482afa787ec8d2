/** `npm run bench` measures what it is asked for, or says at once why it does not. */
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';

function bench(...args: string[]) {
  const { status, stdout, stderr } = spawnSync(process.execPath, ['scripts/bench.mjs', ...args], {
    encoding: 'utf8',
    timeout: 60_000,
  });
  return { status, stdout, stderr };
}

const help = /^npm run bench -- \[options\]\n[\s\S]*--only udp \[--workload NAME\][\s\S]*--quick/;

test.each([['--help'], ['-h'], ['--only', 'micro', '--help']])('%s prints the usage alone', (...args) => {
  expect(bench(...args)).toMatchObject({ status: 0, stdout: expect.stringMatching(help), stderr: '' });
});

describe('refused in one line', () => {
  test.each([
    {
      args: ['--only', 'nothing'],
      wrong: '--only nothing: there is micro, adversary, udp, kcp, connect, conn,',
    },
    { args: ['--only=nothing'], wrong: '--only nothing: there is micro,' },
    { args: ['--only', 'conn,idle'], wrong: '--only conn,idle: there is' },
    { args: ['--only'], wrong: "Option '--only <value>' argument missing" },
    { args: ['--rounds', '0'], wrong: '--rounds 0: give a whole number, 1 or more' },
    { args: ['--rounds', '-1'], wrong: "Option '--rounds' argument is ambiguous; of system" },
    { args: ['--beside', '/nowhere'], wrong: '--beside /nowhere: there is no checkout that is built' },
    { args: ['--json', '/nowhere/x'], wrong: '--json /nowhere/x: name a file, in a folder that there is' },
    { args: ['--json', '.'], wrong: '--json .: name a file' },
    { args: ['--onyl', 'udp'], wrong: "Unknown option '--onyl'; of system: [--only NAME]" },
    { args: ['--only', 'micro', '--quick'], wrong: "Unknown option '--quick'; of micro: [--only micro]" },
    { args: ['udp'], wrong: "Unexpected argument 'udp'" },
    { args: ['--only', 'adversary', '--attack', 'x'], wrong: '--attack x: there is slow-drip,' },
    { args: ['--only', 'udp', '--workload', 'ping,fan'], wrong: '--workload ping,fan: there is ping1,' },
    { args: ['--only', 'udp', '--against', 'direct,ngin'], wrong: '--against ngin: there is direct, nginx,' },
    { args: ['--only', 'kcp', '--workload', 'idle,x'], wrong: '--workload x: there is down-none,' },
    {
      args: ['--only', 'connect', '--against', 'nginx'],
      wrong: '--against nginx: there is relayed, tunnel,',
    },
  ])('$args', { timeout: 60_000 }, ({ args, wrong }) => {
    const { status, stdout, stderr } = bench(...args);
    expect({ status, stdout, lines: stderr.split('\n').length }).toEqual({ status: 2, stdout: '', lines: 2 });
    expect(stderr).toContain(`bench: ${wrong}`);
  });
});

/** What each benchmark reads is what its request may have. */
test.each(['system', 'adversary', 'udp', 'kcp', 'connect'])(
  '%s reads the options that are listed for it',
  (name) => {
    const benches = JSON.parse(readFileSync('bench/benches.json', 'utf8')) as Record<
      string,
      { options: object }
    >;
    const source = readFileSync(`bench/${name}/${name}.ts`, 'utf8');
    const read = [...source.matchAll(/^ {4}(\w+): \{ type: /gm)].map(([, option]) => option);
    expect(new Set(read)).toEqual(new Set(Object.keys(benches[name]?.options ?? {})));
  },
);
