/** Users other than root, and what root does not do unless told: run modules. */
import { existsSync, writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { beforeEach, expect, test } from 'vitest';
import { anyport } from '../support/daemon.js';
import { runProgram } from '../support/process.js';
import { CAP_NET_BIND_SERVICE, expectDropped, GID, lowPort, UID } from '../support/rights.js';
import { answers, redis, somebody, useDaemons } from '../support/root.js';
import { dial, echo, listenTcp } from '../support/tcp.js';
import { describeAsRoot } from '../support/tools.js';

const stage = useDaemons();
const { start } = stage;

describeAsRoot('started by a user', () => {
  const as = ['setpriv', '--reuid', `${UID}`, '--regid', `${GID}`, '--clear-groups'];
  const mayBind = ['--inh-caps=-all,+net_bind_service', '--ambient-caps=-all,+net_bind_service'];
  const config = (server: object) => JSON.stringify({ server: { workers: 1, ...server }, protocols: redis });
  let file: string;

  beforeEach(() => {
    file = `${stage.path}/anyport.yaml`;
  });

  const command = (wrapper: readonly string[]): [string, string[]] => {
    const [first = '', ...rest] = [
      ...wrapper,
      process.execPath,
      resolve('dist/cli/main.js'),
      'run',
      '-c',
      file,
    ];
    return [first, rest];
  };

  test('a port below 1024 is refused with the three ways to it', async () => {
    const port = await lowPort();
    writeFileSync(file, config({ listen: `127.0.0.1:${port}` }));
    const { status, stdout } = await runProgram(...command(as));
    expect(status).toBe(1);
    const [line] = stdout.trim().split('\n');
    const { msg } = JSON.parse(line ?? '');
    expect(msg).toContain(
      `can not listen on 127.0.0.1:${port}: permission denied (EACCES); a low port takes one of three`,
    );
    for (const way of ['`server.user`', 'CAP_NET_BIND_SERVICE', `ip_unprivileged_port_start=${port}`]) {
      expect(msg).toContain(way);
    }
  });

  test('a port in use: who has it', async () => {
    const upstream = await listenTcp(echo);
    writeFileSync(file, config({ listen: upstream.target }));
    const [asRoot, asUser] = [await runProgram(...command([])), await runProgram(...command(as))];
    expect(asRoot.stdout).toMatch(new RegExp(`in use .*; \\S.* \\(pid ${process.pid}\\) listens there`));
    // Processes of others have no names for a user.
    expect(asUser.stdout).toMatch(
      /in use .*; a process of user 0 listens there: end it \(`ss -ltnp` shows it\)/,
    );
    await upstream.close();
  });

  test('who is the one of server.user already: it serves, with the capability that it was given', async () => {
    const port = await lowPort();
    const daemon = await start(
      { server: { ...somebody, listen: `127.0.0.1:${port}` }, protocols: redis },
      { wrapper: ['sh', '-c', 'chmod -R a+rX . && exec "$@"', 'sh', ...as, ...mayBind] },
    );
    await answers(port);
    expectDropped(daemon.pid, CAP_NET_BIND_SERVICE, [UID, GID], '');
  });

  test('modules run, without a flag', async () => {
    const daemon = await start(
      {
        protocols: [{ name: 'Upper', handler: resolve('test/e2e/handlers/upper.mjs'), start_bytes: ['75'] }],
      },
      { asRoot: 'refused', wrapper: ['sh', '-c', 'chmod -R a+rX . && exec "$@"', 'sh', ...as] },
    );
    const client = await dial(daemon.port);
    client.send(Buffer.from('up'));
    expect(`${await client.bytes(2)}`).toBe('UP');
    client.reset();
  });
});

describeAsRoot('modules as root', () => {
  const handler = { name: 'Upper', handler: resolve('test/e2e/handlers/upper.mjs'), start_bytes: ['75'] };
  const validator = {
    ...redis[0],
    validator: resolve('test/protocols/validator.mjs'),
    name: 'Mine',
    start_bytes: ['75'],
  };

  async function run(protocols: readonly unknown[], ...flags: string[]) {
    const file = `${stage.path}/anyport.yaml`;
    writeFileSync(file, JSON.stringify({ server: { listen: '127.0.0.1:0' }, protocols }));
    return anyport(['run', '-c', file, ...flags]);
  }

  test.each([
    { what: 'handler', protocol: handler },
    { what: 'validator', protocol: validator },
  ])('a $what is refused before anything is started', async ({ what, protocol }) => {
    const { status, stdout, stderr } = await run([protocol]);
    expect({ status, stdout }).toEqual({ status: 2, stdout: '' });
    expect(stderr).toMatch(
      new RegExp(`^anyport: ${what} file:.*would run as root: .*server\\.user.*--allow-root`),
    );
  });

  test('and by a reload, before it is loaded', async () => {
    const daemon = await start({ protocols: redis }, { asRoot: 'refused' });
    const loaded = `${stage.path}/loaded`;
    const module = `${stage.path}/late.mjs`;
    writeFileSync(
      module,
      `import { writeFileSync } from 'node:fs';\nwriteFileSync('${loaded}', '');\nexport default () => {};\n`,
    );
    const from = daemon.lines.length;
    await daemon.reload({ protocols: [...redis, { name: 'Late', handler: module, start_bytes: ['77'] }] });
    expect(JSON.stringify(daemon.lines.slice(from))).toMatch(/would run as root/);
    expect(existsSync(loaded)).toBe(false);
    await answers(daemon.port);
  });

  test('with --allow-root they run', async () => {
    const daemon = await start({ protocols: [handler] });
    const client = await dial(daemon.port);
    client.send(Buffer.from('up'));
    expect(`${await client.bytes(2)}`).toBe('UP');
    client.reset();
  });
});
