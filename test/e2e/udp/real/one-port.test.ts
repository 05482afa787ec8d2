/** One UDP port, told apart by protocol: real servers behind it, and all their clients at once. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Daemon, startDaemon } from '../../../support/daemon.js';
import { freePort } from '../../../support/ports.js';
import { describeWith } from '../../../support/tools.js';
import { loopbackServices, tunnels } from './services/index.js';
import type { RunningService } from './services/service.js';
import { canTunnel } from './services/tunnel.js';

/** Tunnels are left out where this machine lets nobody make one. */
const services = [...loopbackServices, ...(canTunnel ? tunnels : [])];
const tools = new Set(services.flatMap((service) => service.tools));

describeWith(...tools)(`one port for ${services.map(({ protocol }) => protocol).join(', ')}`, () => {
  let running: readonly RunningService[];
  let daemon: Daemon;
  let port: number;

  beforeAll(async () => {
    running = await Promise.all(services.map((service) => service.start()));
    port = await freePort();
    daemon = await startDaemon({
      listeners: [{ name: 'any', address: `:${port}`, transport: 'udp' }],
      protocols: services.map(({ protocol }) => ({ name: protocol, target: protocol })),
      upstreams: Object.fromEntries(
        services.map(({ protocol }, index) => [protocol, { endpoints: [running[index]?.target] }]),
      ),
    });
  });
  afterAll(async () => {
    await daemon.stop();
    await Promise.all(running.map((service) => service.stop()));
  });

  test('all clients at once, each with its server', async () => {
    const asked = await Promise.allSettled(running.map((service) => service.through(port)));
    const served = asked.map((each, index) => ({
      name: services[index]?.name,
      fault: each.status === 'rejected' ? String(each.reason) : null,
    }));
    expect(served).toEqual(services.map(({ name }) => ({ name, fault: null })));
  });

  test('each was known by its first datagram, and is one session of its upstream', async () => {
    await daemon.stop();
    const told = daemon.sessions.map(({ protocol, upstream }) => `${protocol} to ${upstream}`);
    const wanted = services.map(({ protocol }) => `${protocol} to ${protocol}`);
    expect([...new Set(told)].sort()).toEqual([...wanted].sort());
    for (const { bytes_up, bytes_down } of daemon.sessions)
      expect([bytes_up > 0, bytes_down > 0]).toEqual([true, true]);
  });
});
