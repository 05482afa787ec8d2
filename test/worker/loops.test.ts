/** Several engines on one thread, as in an embedding program: none starves another, and idle ones sleep. */
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { native } from '../../src/addon.js';
import { runProgram } from '../support/process.js';
import { dial, echo } from '../support/tcp.js';
import { type Plane, planFor, startPlane, upstream, useStage } from './plane.js';

const { serve, start } = useStage();

const roundTrip = async ({ port }: Plane) => {
  const client = (await dial(port)).send('aa hello').finish();
  await client.end();
  return client.received.toString();
};

test('each is served while the others have nothing to do', async () => {
  const server = await serve(echo);
  const planes = [];
  for (let n = 0; n < 3; n += 1) planes.push(await start(planFor([upstream('a', server.port)])));
  for (const plane of [...planes, ...planes.reverse()]) expect(await roundTrip(plane)).toBe('aa hello');
});

test('a client of another process is served, whichever engine it comes to', async () => {
  // In-process handlers: only the engines' own events wake the thread.
  const plan = planFor([{ ...upstream('a'), handler: 'builtin:echo' }]);
  const planes = [await start(plan), await start(plan)];
  const script = `
    const { connect } = require('node:net');
    const ask = (port) => new Promise((resolve) => {
      const socket = connect(port, '127.0.0.1', () => socket.write('aa'));
      socket.once('data', () => (socket.destroy(), resolve()));
    });
    (async () => { for (let n = 0; n < 40; n += 1) for (const port of [${planes.map(({ port }) => port)}]) await ask(port); })();`;
  expect((await runProgram(process.execPath, ['-e', script])).status).toBe(0);
});

test('nobody spins while all are idle', async () => {
  const plan = planFor([]);
  for (let n = 0; n < 3; n += 1) await start(plan);
  await sleep(200);
  const [cpu, time] = [native.threadCpuMs(), performance.now()];
  await sleep(1_500);
  expect((native.threadCpuMs() - cpu) / (performance.now() - time)).toBeLessThan(0.4);
});

test('one that is closed leaves the others as they were, and one that comes later is served', async () => {
  const server = await serve(echo);
  const plan = planFor([upstream('a', server.port)]);
  const first = await startPlane(plan);
  const second = await start(plan);
  await first.stop();
  expect(await roundTrip(second)).toBe('aa hello');
  const third = await start(plan);
  expect(await roundTrip(third)).toBe('aa hello');
  expect(await roundTrip(second)).toBe('aa hello');
});
