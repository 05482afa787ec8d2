/**
 * A hundred thousand clients with a datagram of one byte each (sslh, CVE-2025-46807, died of it): files and memory stay
 * within limits, each datagram is counted, and others are served meanwhile.
 */
import { afterEach, beforeEach, expect, test } from 'vitest';
import { type Daemon, startDaemon, type TestConfig } from '../../../support/daemon.js';
import {
  type DatagramEndpoint,
  type DatagramPeer,
  datagramClient,
  listenUdp,
} from '../../../support/datagrams.js';
import { freePort } from '../../../support/ports.js';
import { openFiles, residentBytes } from '../../../support/proc.js';
import { type Crowd, sendFromCrowd } from '../../../support/raw-datagrams.js';
import { describeAsRoot, describeWith } from '../../../support/tools.js';
import { eventually } from '../../../support/wait.js';

const crowd: Crowd = { sources: 100, ports: 1000, payloadBytes: 1 };
/** Its datagrams reach an endpoint, which is this process. */
const smaller: Crowd = { ...crowd, ports: 250 };
const sizeOf = ({ sources, ports }: Crowd): number => sources * ports;
const MIB = 1 << 20;
/** Lines of the log wait to be written, pages are touched for the first time: but not an entry for each client. */
const GROWTH_MAX = 96 * MIB;

describeAsRoot('a datagram of one byte from each of a crowd of clients', () => {
  describeWith('python3')('sent by a raw socket', () => {
    let endpoint: DatagramEndpoint;
    let daemon: Daemon;
    let port: number;
    let other: DatagramPeer;

    beforeEach(async () => {
      // Answers those that say more than a byte.
      endpoint = await listenUdp(({ bytes }, reply) => bytes.length > 1 && reply(bytes));
      port = await freePort();
      other = await datagramClient(port);
    });
    afterEach(async () => {
      await daemon.stop();
      await Promise.all([other.close(), endpoint.close()]);
    });

    const start = async (config: TestConfig): Promise<void> => {
      daemon = await startDaemon({ logging: { access_log_rate: 100 }, ...config });
    };

    /** Sends the crowd, and asks as another client until it has been sent; returns the most files seen. */
    async function survives(those: Crowd): Promise<number> {
      // Heard of again after an answer: those who are not go first.
      for (const said of ['before', 'before']) expect(`${(await other.ask(said)).bytes}`).toBe(said);
      const [memory, files] = [residentBytes(daemon.pid), openFiles(daemon.pid)];
      let [isSent, most] = [false, files];
      const sent = sendFromCrowd(port, those).finally(() => {
        isSent = true;
      });
      for (let n = 0; !isSent; n++) {
        expect(`${(await other.ask(`meanwhile ${n}`, { again: true })).bytes}`).toMatch(/^meanwhile/);
        most = Math.max(most, openFiles(daemon.pid));
      }
      expect(await sent).toBe(sizeOf(those));
      expect(`${(await other.ask('after', { again: true })).bytes}`).toMatch(/^meanwhile|after/);
      expect(residentBytes(daemon.pid) - memory).toBeLessThan(GROWTH_MAX);
      return most - files;
    }

    /** Each is a session or a drop that is counted. */
    const accounted = (those: Crowd) =>
      eventually('every datagram to be accounted for', async () => {
        const [sessions, dropped] = await Promise.all([
          daemon.metric('anyport_accepted_total'),
          daemon.metric('anyport_udp_dropped_total'),
        ]);
        return sessions + dropped >= sizeOf(those);
      });

    test('100,000 unknown: no file is opened for one', async () => {
      await start({
        listeners: [{ name: 'any', address: `127.0.0.1:${port}`, transport: 'udp' }],
        protocols: [{ name: 'known', start_bytes: ['61', '62', '6d'], transport: 'udp', target: 'web' }],
        upstreams: { web: { endpoints: [endpoint.target] } },
      });
      const files = await survives(crowd);
      expect(files).toBeLessThan(10);
      await accounted(crowd);
      await daemon.metricBecomes('anyport_udp_flows', 1);
    });

    test('25,000 relayed: as many flows as there may be, those of others last longest', async () => {
      const FLOWS = 500;
      await start({
        server: { udp: { max_flows: FLOWS } },
        listeners: [{ name: 'any', address: `127.0.0.1:${port}`, transport: 'udp', on_unknown: 'web' }],
        upstreams: { web: { endpoints: [endpoint.target] } },
      });
      const files = await survives(smaller);
      expect(files).toBeLessThan(FLOWS + 10);
      await accounted(smaller);
      expect(await daemon.metric('anyport_udp_flows')).toBeLessThanOrEqual(FLOWS);
      await daemon.booksBalance();
    });
  });
});
