/** A custom protocol whose validator is asked in a live session. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { planned } from '../support/plan.js';
import { dial, echo, listenTcp, type Upstream } from '../support/tcp.js';
import { eventually } from '../support/wait.js';
import { type Plane, planFor, startPlane, upstream } from './plane.js';

const url = new URL('../protocols/validator.mjs', import.meta.url).href;

describe('a validator', () => {
  let server: Upstream;
  let plane: Plane;

  beforeAll(async () => {
    server = await listenTcp(echo);
    const custom = { name: 'Custom', id: 'custom', signature: { patterns: ['^[^]'] }, validator: url };
    const protocols = [planned(custom), planned({ name: 'HTTP', id: 'http' })];
    plane = await startPlane(planFor([upstream('a', server.port)], { protocols }));
  });
  afterAll(async () => {
    await plane.stop();
    await server.close();
  });

  async function recordOf(bytes: string): Promise<Record<string, unknown>> {
    const before = plane.records().length;
    const client = await dial(plane.port);
    client.send(bytes);
    if (bytes.startsWith('m')) client.finish();
    await client.end();
    await eventually('its record', () => plane.records().length > before);
    return plane.records().at(-1) ?? {};
  }

  test('what matches is relayed whole', async () =>
    expect(await recordOf('mine')).toMatchObject({ protocol: 'custom', reason: 'done', bytes_up: 4 }));

  test('what does not is of no protocol', async () =>
    expect(await recordOf('n\0')).toMatchObject({ protocol: null, reason: 'unknown_protocol' }));

  test('an exception is no, and is counted', async () => {
    expect(await recordOf('t\0')).toMatchObject({ protocol: null, reason: 'unknown_protocol' });
    expect(plane.metric('anyport_validator_failures_total', { protocol: 'custom' })).toBe(1);
  });
});
