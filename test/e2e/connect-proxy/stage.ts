/** What the tests of the proxy for CONNECT and SOCKS start, and stop behind each test or behind all. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { afterAll, afterEach } from 'vitest';
import { type Daemon, type StartOptions, startDaemon, type TestConfig } from '../../support/daemon.js';
import { type DnsServer, startDnsServer } from '../../support/dns-server.js';
import { echo, listenTcp, type Peer, type Upstream } from '../../support/tcp.js';
import { tempFolder } from '../../support/temp.js';

/** For whoever is on this machine, to whatever is on it. */
export const onThisMachine = { allow: ['127.0.0.0/8:*', '[::1]:*'], allow_from: ['127.0.0.0/8'] } as const;

/** The tests of each parallel process have an address of their own for their server of names. */
const NAME_SERVER = `127.9.8.${Number(process.env.VITEST_POOL_ID ?? 0) + 1}`;

/** `all`: what is started stays for all tests of the file, or of the `describe` around the call. */
export function useStage(lasting: 'each' | 'all' = 'each') {
  const cleanups: (() => unknown)[] = [];
  (lasting === 'each' ? afterEach : afterAll)(async () => {
    for (const cleanup of cleanups.splice(0).toReversed()) await cleanup();
  });
  const later = (cleanup: () => unknown) => void cleanups.push(cleanup);
  return {
    later,

    /** A daemon that is a proxy; `section` replaces keys of `connect_proxy` that allow everything on this machine. */
    async proxy(
      section: Readonly<Record<string, unknown>> = {},
      { options, ...config }: TestConfig & { readonly options?: StartOptions } = {},
    ): Promise<Daemon> {
      const connect_proxy = { ...onThisMachine, ...section };
      const daemon = await startDaemon({ connect_proxy, ...config }, options);
      later(() => daemon.stop());
      return daemon;
    },

    async server(serve: (peer: Peer) => void = echo, host?: string): Promise<Upstream> {
      const server = await listenTcp(serve, host);
      later(() => server.close());
      return server;
    },

    folder(): string {
      const folder = tempFolder();
      later(() => folder.remove());
      return folder.path;
    },

    /** A server of names, and how a daemon is started that asks it alone. Takes root. */
    async names(
      resolv = 'options timeout:30 attempts:5',
      address = NAME_SERVER,
    ): Promise<{ readonly dns: DnsServer; readonly options: StartOptions }> {
      const dns = await startDnsServer(address);
      later(() => dns.close());
      const folder = this.folder();
      return { dns, options: { wrapper: withNames(folder, `nameserver ${address}\n${resolv}\n`) } };
    },
  };
}

/** A command that runs a program with this file as /etc/resolv.conf, and with nothing in /etc/hosts. */
export function withNames(folder: string, resolv: string): string[] {
  mkdirSync(folder, { recursive: true });
  writeFileSync(`${folder}/resolv.conf`, resolv);
  writeFileSync(`${folder}/hosts`, '');
  const mounts = ['hosts', 'resolv.conf'].map((file) => `mount --bind ${folder}/${file} /etc/${file}`);
  return ['unshare', '-m', 'sh', '-c', [...mounts, 'exec "$@"'].join(' && '), 'sh'];
}
