/**
 * A proxy that says nothing of destinations: every public address, and no other. In a network namespace that has a public
 * address of each family, and a server there.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { connect } from 'node:net';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Daemon, startDaemon } from '../../support/daemon.js';
import { type DnsServer, startDnsServer } from '../../support/dns-server.js';
import { Namespace, namespaceTools } from '../../support/namespaces.js';
import { freePort } from '../../support/ports.js';
import { stopProcess } from '../../support/process.js';
import { connectHead } from '../../support/proxy-clients.js';
import { type TempFolder, tempFolder } from '../../support/temp.js';
import { describeAsRoot, describeWith } from '../../support/tools.js';
import { within } from '../../support/wait.js';
import { withNames } from './stage.js';

/** They are this namespace's own there; nothing leaves it. */
const PUBLIC_V4 = '9.9.9.9';
const PUBLIC_V6 = '2620:fe:0:0:0:0:0:fe';

/** Says to which of its addresses a client has come. */
const SERVER = `
  require('net').createServer((socket) => socket.on('error', () => {}).end(socket.localAddress))
    .listen(443, '::', () => console.log('ready'))`;

describeAsRoot('as root', () => {
  describeWith(...namespaceTools, 'mount')('public addresses', () => {
    const cleanups: (() => unknown)[] = [];
    let namespace: Namespace;
    let dns: DnsServer;
    let daemon: Daemon;
    let port: number;

    beforeAll(async () => {
      namespace = await Namespace.create();
      cleanups.push(() => namespace.remove());
      for (const address of [`${PUBLIC_V4}/32`, `${PUBLIC_V6}/128`])
        await namespace.run('ip', 'address', 'add', address, 'dev', 'lo');
      dns = await startDnsServer(namespace.v4.ours);
      cleanups.push(() => dns.close());
      await startServer();
      const folder: TempFolder = tempFolder();
      cleanups.push(() => folder.remove());
      port = await freePort();
      const names = withNames(folder.path, `nameserver ${namespace.v4.ours}\n`);
      daemon = await startDaemon(
        {
          listeners: [
            { name: 'front', address: `0.0.0.0:${port}` },
            { name: 'everywhere', address: '0.0.0.0:8443' },
          ],
          connect_proxy: { allow_from: [`${namespace.v4.ours}/32`], ports: [443, 8443] },
        },
        { wrapper: [...namespace.wrap(...names)] },
      );
      cleanups.push(() => daemon.stop());
    });

    afterAll(async () => {
      for (const cleanup of cleanups.splice(0).toReversed()) await cleanup();
    });

    async function startServer(): Promise<void> {
      const [program, ...args] = namespace.wrap(process.execPath, '-e', SERVER);
      const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'ignore'] });
      cleanups.push(() => stopProcess(child, 'SIGKILL'));
      await within('the server', once(child.stdout, 'data'));
    }

    /** What a client that asks for this gets, to its end: status, and what comes behind the head. */
    async function ask(target: string): Promise<[status: number, rest: string]> {
      const socket = connect({ port, host: namespace.v4.theirs });
      const chunks: Buffer[] = [];
      socket.on('data', (chunk: Buffer) => void chunks.push(chunk));
      socket.write(connectHead(target));
      await within('the end', once(socket, 'end'));
      const text = Buffer.concat(chunks).toString('latin1');
      return [Number(text.slice(9, 12)), text.slice(text.indexOf('\r\n\r\n') + 4)];
    }

    test.each([
      [`${PUBLIC_V4}:443`, '::ffff:9.9.9.9'],
      [`[${PUBLIC_V6}]:443`, '2620:fe::fe'],
    ])('%s is dialled', async (target, address) => {
      expect(await ask(target)).toEqual([200, address]);
    });

    test('a name that leads there is dialled', async () => {
      dns.names.set('public.test', [PUBLIC_V4]);
      expect(await ask('public.test:443')).toEqual([200, '::ffff:9.9.9.9']);
      dns.names.set('public6.test', [PUBLIC_V6]);
      expect(await ask('public6.test:443')).toEqual([200, '2620:fe::fe']);
    });

    test.each([
      ['a private one', [PUBLIC_V4, '10.0.0.1']],
      ['a loopback one', ['127.0.0.1', PUBLIC_V4]],
      ['a private one of the other family', [PUBLIC_V4, 'fd00:0:0:0:0:0:0:1']],
      ['the metadata address', [PUBLIC_V6, '169.254.169.254']],
    ])('a public address beside another is refused with it: %s', async (_, addresses) => {
      const name = `mixed-${addresses.join('-').replace(/[:.]/g, '')}.test`;
      dns.names.set(name, addresses);
      expect((await ask(`${name}:443`))[0]).toBe(403);
    });

    test('addresses of this machine that are not public are refused', async () => {
      expect((await ask(`${namespace.v4.theirs}:443`))[0]).toBe(403);
      expect((await ask(`[${namespace.v6.theirs}]:443`))[0]).toBe(403);
    });

    test('the public address of one of our own listeners is refused', async () => {
      expect((await ask(`${PUBLIC_V4}:8443`))[0]).toBe(403);
    });

    test('other ports are refused', async () => {
      for (const each of [22, 25, 80, 6379]) expect((await ask(`${PUBLIC_V4}:${each}`))[0]).toBe(403);
    });
  });
});
