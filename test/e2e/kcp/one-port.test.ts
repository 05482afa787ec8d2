/** KCP beside DNS, STUN and QUIC on one UDP port, and TCP on the same one: each client with its own server. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startKcptunClient } from '../../support/kcptun.js';
import { freePort } from '../../support/ports.js';
import type { Running } from '../../support/process.js';
import { startEndpoint } from '../../support/steady.js';
import { describeWith } from '../../support/tools.js';
import { transfer } from '../../support/tunnel-load.js';
import { lossyWire, startWire } from '../../support/wire.js';
import { dns } from '../udp/real/services/dns.js';
import { quic } from '../udp/real/services/quic.js';
import { loopbackService, type RunningService } from '../udp/real/services/service.js';
import { turn } from '../udp/real/services/turn.js';
import { kcptunProfile, keep, own, startFar, startNear } from './stage.js';

const recipes = [dns, turn, quic];
const tools = new Set(recipes.flatMap((recipe) => recipe.tools));
const MB = 1_000_000;

describeWith(
  ...tools,
  'g++',
  'kcptun-client',
)('one port for DNS, STUN, QUIC and KCP', () => {
  let others: readonly RunningService[];
  let endpoint: Running & { readonly target: string };
  beforeAll(async () => {
    others = await Promise.all(recipes.map((recipe) => loopbackService(recipe, freePort).start()));
    endpoint = await startEndpoint();
  });
  afterAll(async () => {
    await endpoint.stop();
    await Promise.all(others.map((each) => each.stop()));
  });

  const shared = (address: string, target: string) => ({
    listeners: [{ name: 'far', address, transport: 'tcp+udp', kcp: 'link' }],
    routes: [],
    protocols: [
      ...recipes.map(({ protocol }) => ({ name: protocol, target: protocol })),
      { name: 'HTTP', target },
    ],
    upstreams: Object.fromEntries(
      recipes.map(({ protocol }, index) => [protocol, { endpoints: [others[index]?.target] }]),
    ),
  });

  test.each([
    { wire: 'anyport', profile: own() },
    { wire: 'kcptun', profile: kcptunProfile() },
    { wire: 'kcptun, no cipher', profile: kcptunProfile({ crypt: 'none', fec: [0, 0] }) },
  ])('all at once, wire $wire', async ({ wire, profile }) => {
    const port = await freePort();
    const far = await startFar(profile, endpoint.target, {
      config: shared(`127.0.0.1:${port}`, endpoint.target),
    });
    const between = keep(await startWire(port, { ...lossyWire, delay_us: 2000 }));
    const client =
      wire === 'anyport'
        ? await startNear(profile, between.target)
        : keep(
            await startKcptunClient(between.target, wire === 'kcptun' ? {} : { crypt: 'none', fec: [0, 0] }),
          );
    await Promise.all([
      transfer(client.port, 'down', 8 * MB),
      ...others.map((each) => each.through(port)),
      transfer(port, 'down', 8 * MB),
    ]);
    const lines = await far.daemon.ended(2);
    const http = lines.filter(({ protocol }) => protocol === 'http');
    expect(new Set(http.map(({ transport }) => transport))).toEqual(new Set(['kcp', undefined]));
    expect(http).toHaveLength(2);
  });
});
