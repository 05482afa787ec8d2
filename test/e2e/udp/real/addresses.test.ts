/** A wildcard listener on a machine with several addresses, and clients with several of theirs. */
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { type Daemon, startDaemon } from '../../../support/daemon.js';
import { Namespace, namespaceTools } from '../../../support/namespaces.js';
import { freePort } from '../../../support/ports.js';
import { describeAsRoot, describeWith } from '../../../support/tools.js';
import { dig, dns } from './services/dns.js';
import { loopbackService, type RunningService, satisfied } from './services/service.js';

const families = ['v4', 'v6'] as const;
const OWN_PORT = 20_053;
const FOUND = /^192\.0\.2\.7\n$/;

describeAsRoot('clients elsewhere', () => {
  describeWith(...dns.tools, ...namespaceTools)(
    'with dig, which takes no answer from another address',
    () => {
      let server: RunningService;
      let elsewhere: Namespace;
      let daemon: Daemon;
      let port: number;

      beforeAll(async () => {
        elsewhere = await Namespace.create();
        server = await loopbackService(dns, freePort).start();
      });
      afterEach(() => daemon.stop());
      afterAll(async () => {
        await server.stop();
        await elsewhere.remove();
      });

      async function start(udp: object = {}): Promise<void> {
        port = await freePort();
        daemon = await startDaemon({
          server: { udp },
          listeners: [{ name: 'any', address: `:${port}`, transport: 'tcp+udp' }],
          protocols: [{ name: 'dns', target: 'resolver' }],
          upstreams: { resolver: { endpoints: [server.target] } },
        });
      }

      const query = (host: string, ...more: string[]) =>
        elsewhere.wrap(...dig({ host, port }, 'known.example', '+short', '+notcp', ...more));

      test.each(families)('%s: each address of the machine answers for itself', async (family) => {
        await start();
        const { ours, alsoOurs, theirs } = elsewhere[family];
        for (const address of [ours, ...alsoOurs]) await satisfied(query(address, '-b', theirs), FOUND);
        await daemon.stop();
        const hosts = daemon.sessions.map(({ source }) => source.replace(/:\d+$/, ''));
        const host = family === 'v6' ? `[${theirs}]` : theirs;
        expect(hosts).toEqual([host, host, host]);
      });

      test.each(families)('%s: so it does when one socket asks one after the other', async (family) => {
        await start();
        const { ours, alsoOurs, theirs } = elsewhere[family];
        for (const address of [ours, ...alsoOurs, ours])
          await satisfied(query(address, '-b', `${theirs}#${OWN_PORT}`), FOUND);
        expect(daemon.sessions).toEqual([]); // the flows go on
      });

      /** Each of its addresses asks once, one after the other; who is not to be served waits for a second. */
      async function expectServed(
        family: (typeof families)[number],
        ...due: readonly boolean[]
      ): Promise<void> {
        const { ours, theirs, alsoTheirs } = elsewhere[family];
        for (const [index, address] of [theirs, ...alsoTheirs].entries()) {
          const patience = `+time=${due[index] ? 30 : 1}`;
          const asked = satisfied(query(ours, '-b', address, patience, '+tries=1'), FOUND);
          const served = await asked.then(
            () => true,
            () => false,
          );
          expect(served, address).toBe(due[index]);
        }
      }

      test('max_flows_per_ip counts addresses of IPv4, and networks of IPv6 (/64)', async () => {
        await start({ max_flows_per_ip: 2 });
        await expectServed('v4', true, true, true);
        await expectServed('v6', true, true, false);
        await daemon.metricBecomes('anyport_udp_dropped_total', 1, { reason: 'per_ip' });
      });
    },
  );
});
