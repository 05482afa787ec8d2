/** Checks of every type on the built daemon, each with a real server: up, stopped in its tracks, down, and back. */
import { chmodSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type ControlSite, startControlled } from '../support/control.js';
import { type Daemon, startDaemon } from '../support/daemon.js';
import {
  dnsRecipe,
  ldapRecipe,
  mariadbRecipe,
  mqttRecipe,
  nginxRecipe,
  postgresRecipe,
  RealServer,
  type Recipe,
  redisRecipe,
  smtpRecipe,
  sshRecipe,
  stunRecipe,
} from '../support/real-servers.js';
import { type TempFolder, tempFolder } from '../support/temp.js';
import { describeAsRoot, describeWith } from '../support/tools.js';
import { eventually } from '../support/wait.js';

interface Row {
  /** Name of the upstream. */
  readonly name: string;
  readonly recipe: Recipe;
  readonly check: { readonly type: string; readonly [key: string]: unknown };
}

const tls = { name: 'www.example.com', days: 9 };
const ping = [
  { send: 'PING\r\n', expect: '+PONG\r\n' },
  { send_hex: '45 43 48 4f 20 68 69 0d 0a', expect_regex: '^\\$2\\r\\nhi\\r\\n' },
];

/** A binding request, and the beginning of its response. */
const binding = [
  { send_hex: '0001 0000 2112a442 0102030405060708090a0b0c', expect_hex: '0101' },
  { send_hex: '0001 0000 2112a442 ffffffffffffffffffffffff', expect_regex: '^\\x01\\x01' },
];
const rows: readonly Row[] = [
  { name: 'tcp', recipe: redisRecipe(), check: { type: 'redis', role: 'master' } },
  { name: 'redis', recipe: redisRecipe('--requirepass', 'x'), check: { type: 'redis', password: 'x' } },
  { name: 'rounds', recipe: redisRecipe(), check: { type: 'send_expect', rounds: ping } },
  { name: 'mysql', recipe: mariadbRecipe(), check: { type: 'mysql', user: 'anyport' } },
  { name: 'postgres', recipe: postgresRecipe(), check: { type: 'postgres', user: 'postgres' } },
  { name: 'http', recipe: nginxRecipe(''), check: { type: 'http', status: 200, body: 'by nginx' } },
  {
    name: 'https',
    recipe: nginxRecipe('', tls),
    check: { type: 'https', server_name: tls.name, method: 'HEAD' },
  },
  { name: 'tls', recipe: nginxRecipe('', tls), check: { type: 'tls', min_days: 7 } },
  { name: 'ssh', recipe: sshRecipe('MaxStartups=100'), check: { type: 'ssh' } },
  { name: 'smtp', recipe: smtpRecipe, check: { type: 'smtp' } },
  { name: 'ldap', recipe: ldapRecipe(), check: { type: 'ldap' } },
  { name: 'root-dse', recipe: ldapRecipe(), check: { type: 'ldap', request: 'root_dse' } },
  { name: 'mqtt', recipe: mqttRecipe('allow_anonymous true'), check: { type: 'mqtt' } },
  { name: 'dns', recipe: dnsRecipe, check: { type: 'dns', name: 'known.example', record: 'A' } },
  {
    name: 'dns-tcp',
    recipe: dnsRecipe,
    check: { type: 'dns', transport: 'tcp', name: 'known.example', record: 'A' },
  },
  { name: 'stun', recipe: stunRecipe, check: { type: 'stun' } },
  {
    name: 'datagrams',
    recipe: stunRecipe,
    check: { type: 'send_expect', transport: 'udp', rounds: binding },
  },
  { name: 'stun-tcp', recipe: stunRecipe, check: { type: 'stun', transport: 'tcp' } },
];

const common = { interval: '200ms', timeout: '2s', rise: 1, fall: 1 };

describeAsRoot('a real server for each check', () => {
  const tools = [...new Set(rows.flatMap(({ recipe }) => recipe.tools))];
  describeWith(...tools)('is seen', () => {
    const servers = new Map<string, RealServer>();
    let daemon: Daemon;
    let site: ControlSite;
    const stops: (() => Promise<unknown>)[] = [];

    beforeAll(async () => {
      // All of them, so that none is left running where another does not start.
      const started = await Promise.allSettled(
        rows.map(async ({ name, recipe }) => {
          const server = await RealServer.start(recipe);
          stops.push(() => server.remove());
          servers.set(name, server);
        }),
      );
      for (const outcome of started) if (outcome.status === 'rejected') throw outcome.reason;
      const upstreams = rows.map(({ name, check }) => {
        const endpoints = [servers.get(name)?.target];
        return [name, { endpoints, health_check: { ...common, ...check } }];
      });
      ({ daemon, site } = await startControlled({
        protocols: [{ name: 'Redis', target: 'redis' }],
        upstreams: Object.fromEntries(upstreams),
      }));
      stops.unshift(() => daemon.stop());
    });
    afterAll(async () => {
      for (const stop of stops) await stop();
    });

    const each = (act: (server: RealServer) => Promise<void> | void) =>
      Promise.all([...servers.values()].map(act));

    /** Waits until every upstream has had such an answer more often than before. */
    async function answered(result: 'ok' | 'failed'): Promise<void> {
      const metric = (name: string) =>
        daemon.metric('anyport_health_checks_total', { upstream: name, result });
      // One after the other, as a scraper does.
      const before = new Map<string, number>();
      for (const { name } of rows) before.set(name, await metric(name));
      for (const { name } of rows)
        await eventually(`${name}: a check that is ${result}: ${whyOf(name)}`, async () => {
          return (await metric(name)) > (before.get(name) ?? 0);
        });
    }

    const becomes = async (wanted: 0 | 1) => {
      for (const { name } of rows)
        await daemon.metricBecomes('anyport_endpoint_up', wanted, { upstream: name });
    };

    const linesOf = (name: string) =>
      daemon.lines.filter((line) => line.upstream === name && line.msg === 'endpoint is down');
    const whyOf = (name: string) => String(linesOf(name).at(-1)?.why ?? 'no reason yet');
    const whys = () => Object.fromEntries(rows.map(({ name }) => [name, whyOf(name)]));
    const lastSaid = async (name: string): Promise<string> => {
      const { body } = await site.get(`/api/v1/upstreams/${name}`);
      return body.endpoints[0].health.lastCheck?.words ?? 'well';
    };
    const all = (why: string) => Object.fromEntries(rows.map(({ name }) => [name, why]));

    test('up', async () => {
      await answered('ok');
      await becomes(1);
    });

    test('stopped: the kernel takes connections for it, and nobody answers', async () => {
      await each((server) => server.freeze());
      await becomes(0);
      await eventually('the lines', () => rows.every(({ name }) => linesOf(name).length > 0));
      expect(whys()).toEqual(all('no answer within 2000 ms'));
    });

    test('going on', async () => {
      await each((server) => server.thaw());
      await becomes(1);
    });

    test('down', async () => {
      const before = new Map(rows.map(({ name }) => [name, linesOf(name).length]));
      await each((server) => server.down());
      await becomes(0);
      await eventually('the lines', () =>
        rows.every(({ name }) => linesOf(name).length > (before.get(name) ?? 0)),
      );
      // Those that end in an order say so on their way; a check that was under way then may have had no answer.
      for (const { name } of rows)
        await eventually(`${name}: a check that says why`, async () => DOWN.test(await lastSaid(name)));
    });

    test('back', async () => {
      await each((server) => server.up());
      await becomes(1);
      await answered('ok');
    });

    test('no secret, and nothing that a server said, is in the log', () => {
      const said = daemon.lines.map((line) => JSON.stringify(line)).join('\n');
      expect(said).not.toMatch(/PONG|nginx|MariaDB|OpenSSH|OpenSMTPD|SCRAM/);
    });
  });
});

const DOWN =
  /^(refused the connection|reset the connection|closed the connection.*|is shutting down|is starting up, shutting down or recovering|takes no mail for now \(421\))$/;

const read = (path: string): string | undefined => {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
};

/** A zombie has ended, too. */
const isRunning = (pid: number): boolean => / [RSD] /.test(read(`/proc/${pid}/stat`) ?? '');

describeAsRoot('a command', () => {
  let daemon: Daemon;
  let folder: TempFolder;
  let server: RealServer;
  const told = () => `${folder.path}/told`;

  beforeAll(async () => {
    folder = tempFolder();
    server = await RealServer.start(redisRecipe());
    const script = `#!/bin/sh
printf '%s %s %s %s %s' "$ANYPORT_ADDRESS" "$ANYPORT_PORT" "$ANYPORT_ENDPOINT" "$ANYPORT_UPSTREAM" "$1" > ${told()}.new
mv ${told()}.new ${told()}
echo loud loud loud; echo loud >&2
[ -e ${folder.path}/hang ] && { sleep 1000 & echo $! > ${folder.path}/sleeper; wait; }
[ ! -e ${folder.path}/bad ] || exit 3
`;
    writeFileSync(`${folder.path}/check`, script);
    chmodSync(`${folder.path}/check`, 0o755);
    const exec = { ...common, type: 'exec', command: `${folder.path}/check`, args: ['a b; $(touch x)'] };
    daemon = await startDaemon({
      protocols: [{ name: 'Redis', target: 'exec' }],
      upstreams: {
        exec: { endpoints: [server.target], health_check: exec },
        none: {
          endpoints: [server.target],
          health_check: { ...common, type: 'exec', command: '/nonexistent/check' },
        },
      },
    });
  });
  afterAll(async () => {
    await daemon.stop();
    await server.remove();
    folder.remove();
  });

  const becomes = (wanted: 0 | 1) =>
    daemon.metricBecomes('anyport_endpoint_up', wanted, { upstream: 'exec' });
  const whys = (upstream: string) =>
    daemon.lines
      .filter((line) => line.msg === 'endpoint is down' && line.upstream === upstream)
      .map(({ why }) => why);

  test('is told whom to ask, gets its arguments as they are, and is well with status 0', async () => {
    await daemon.metricBecomes('anyport_endpoint_up', 1, { upstream: 'exec' });
    const text = await eventually('the command to run', () => read(told()));
    expect(text).toBe(`127.0.0.1 ${server.port} ${server.target} exec a b; $(touch x)`);
  });

  test('is not well with another status', async () => {
    writeFileSync(`${folder.path}/bad`, '');
    await becomes(0);
    await eventually('the line', () => whys('exec').includes('its command ended with 3'));
    rmSync(`${folder.path}/bad`);
    await becomes(1);
  });

  test('is killed at its deadline, with what it has started', async () => {
    writeFileSync(`${folder.path}/hang`, '');
    await becomes(0);
    await eventually('the line', () => whys('exec').includes('no answer within 2000 ms'));
    rmSync(`${folder.path}/hang`);
    await becomes(1);
    const sleeper = Number(read(`${folder.path}/sleeper`));
    await eventually('the sleeper to be gone', () => !isRunning(sleeper));
  });

  test('that is not there is said once', async () => {
    const failed = () => daemon.metric('anyport_health_checks_total', { upstream: 'none', result: 'failed' });
    await eventually('three checks', async () => (await failed()) >= 3);
    expect(whys('none')).toEqual(['has a check whose command is not there']);
  });

  test('what it writes is nowhere', () => {
    expect(JSON.stringify(daemon.lines) + daemon.stderr).not.toContain('loud');
  });
});
