/** Output on a terminal. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { resolve } from 'node:path';
import { afterEach, expect, test } from 'vitest';
import { freePort } from '../support/ports.js';
import { collect } from '../support/process.js';
import { dial, listenTcp } from '../support/tcp.js';
import { describeWith } from '../support/tools.js';
import { eventually, within } from '../support/wait.js';

/** Runs a command on a pseudo-terminal. */
class Terminal {
  readonly #child: ChildProcess;
  readonly #shown: () => string;
  readonly exited: Promise<number>;

  constructor(command: string) {
    // Without exec some shells stay as parent and are ended by Ctrl-C themselves.
    const child = spawn('script', ['-qec', `exec ${command}`, '/dev/null'], {
      stdio: ['pipe', 'pipe', 'ignore'],
    });
    this.#child = child;
    this.#shown = collect(child.stdout);
    this.exited = once(child, 'close').then(([status]) => status as number);
  }

  /** Lines so far, without colours. */
  get lines(): string[] {
    const escapes = new RegExp(`${String.fromCharCode(27)}\\[[0-9;]*m`, 'g');
    return this.#shown().replace(escapes, '').split(/\r?\n/).filter(Boolean);
  }

  line(pattern: RegExp): Promise<string> {
    return eventually(`a line ${pattern}`, () => this.lines.find((line) => pattern.test(line)));
  }

  type(text: string): void {
    this.#child.stdin?.write(text);
  }

  async kill(): Promise<void> {
    this.#child.kill('SIGKILL');
    await this.exited;
  }
}

const CTRL_C = '\x03';

const terminals: Terminal[] = [];
afterEach(async () => {
  for (const terminal of terminals.splice(0)) await terminal.kill();
});

function open(...args: string[]): Terminal {
  const terminal = new Terminal([resolve('bin/anyport'), 'run', ...args].join(' '));
  terminals.push(terminal);
  return terminal;
}

describeWith('script')('at a terminal', () => {
  test('the first line says where to look, a session is one line, and Ctrl-C ends it', async () => {
    const port = await freePort();
    const terminal = open(`--listen=127.0.0.1:${port}`);
    await terminal.line(/ready on/);
    // Another test's daemon may have the port of the control interface, which is warned of first.
    expect(terminal.lines.find((line) => !/WARN.*control interface/.test(line))).toMatch(
      new RegExp(
        `INFO.*: ready on 127\\.0\\.0\\.1:${port} \\(demo\\)(?:, control interface on 127\\.0\\.0\\.1:9093)?: try curl http://127\\.0\\.0\\.1:${port}/ or `,
      ),
    );
    const client = await dial(port);
    client.send('\x01\x1b[31mhello').finish();
    await client.end();
    const line = await terminal.line(new RegExp(client.address));
    expect(line).toMatch(
      /→ demo: unknown → echo, 11 B up, 11 B down, [\d.]+ m?s, done \(client, relay\), began 011b5b/,
    );
    const hostile = await dial(port);
    hostile.send('GET / HTTP/1.0\r\nHost: a\x9b31m\r\n\r\n').finish();
    await hostile.end();
    expect(await terminal.line(new RegExp(hostile.address))).toMatch(/http a\S*x9b31m → HTTP/);
    terminal.type(CTRL_C);
    expect(await within('the end', terminal.exited)).toBe(0);
    expect(terminal.lines.at(-1)).toMatch(/INFO.*: stopped$/);
    expect(terminal.lines.filter((each) => each.startsWith('{'))).toEqual([]);
  });

  test('a failure to start is one line too', async () => {
    const taken = await listenTcp();
    const terminal = open(`--listen=${taken.target}`);
    expect(await within('the end', terminal.exited)).toBe(1);
    expect(terminal.lines).toEqual([
      expect.stringMatching(/FATAL.*: listener demo can not listen on .* in use .*another address/),
    ]);
    await taken.close();
  });

  test('JSON where that is asked for', async () => {
    const port = await freePort();
    const terminal = open(`--listen=127.0.0.1:${port}`, '--log-format=json');
    expect(JSON.parse(await terminal.line(/"ready"/))).toMatchObject({ msg: 'ready' });
    // A hangup sends SIGHUP, which must not end the daemon.
    terminal.type(CTRL_C);
    expect(await within('the end', terminal.exited)).toBe(0);
  });
});
