import { describe, expect, test } from 'vitest';
import { adminLimits } from '../../src/admin/server.js';
import { proberLimits } from '../../src/health/prober.js';
import { fdBudget, fitConnections } from '../../src/primary/fd-budget.js';

const demand = {
  connections: 1000,
  workers: 2,
  listeningSockets: 4,
  handoff: false,
  control: false,
  handlers: false,
  tarpit: 0,
  warm: 0,
  checked: 0,
};
const fixed = fdBudget.reserve + 2 * fdBudget.perWorker + 4 * fdBudget.perListeningSocket;

describe('connections that the limit of open files allows', () => {
  const cases = [
    { why: 'all, when the files just suffice', files: fixed + 2000, connections: 1000 },
    { why: 'one fewer, when one file is missing', files: fixed + 1999, connections: 999 },
    { why: 'never more than are wanted', files: 1 << 20, connections: 1000 },
    { why: 'none, when nothing is left for them', files: fixed + 1, connections: 0 },
    { why: 'none, and not less, when not even the daemon fits', files: 10, connections: 0 },
  ];
  test.each(cases)('$why', ({ files, connections }) => {
    expect(fitConnections(demand, files)).toMatchObject({ connections, needed: fixed + 2000 });
  });

  test('a session that a handler serves takes one more', () => {
    const fit = fitConnections({ ...demand, handlers: true }, fixed + 2000);
    expect(fit).toMatchObject({ connections: 666, needed: fixed + 3000 });
  });

  test('those in the tarpit are beyond them, one each', () => {
    const fit = fitConnections({ ...demand, tarpit: 100 }, fixed + 2000);
    expect(fit).toMatchObject({ connections: 950, needed: fixed + 2100 });
  });

  test('connections opened ahead are beyond them, one each', () => {
    const fit = fitConnections({ ...demand, warm: 100 }, fixed + 2000);
    expect(fit).toMatchObject({ connections: 950, needed: fixed + 2100 });
  });

  test('checks of endpoints keep some, as many as run at once', () => {
    const fit = fitConnections({ ...demand, checked: 100 }, fixed + 2000);
    expect(fit).toMatchObject({ connections: 950, needed: fixed + 2100 });
    const most = { ...demand, checked: 5000 };
    expect(fitConnections(most, fixed + 2000)).toMatchObject({
      connections: 1000 - proberLimits.probesMax / 2,
    });
  });

  test('the control interface keeps some for its clients', () => {
    const fit = fitConnections({ ...demand, control: true }, fixed + 2000);
    expect(fit).toMatchObject({ connections: 1000 - fdBudget.control / 2 });
    expect(fdBudget.control).toBeGreaterThan(adminLimits.connectionsMax);
  });

  test('what is on its way to a worker is beyond them', () => {
    const fit = fitConnections({ ...demand, handoff: true }, fixed + 2000);
    expect(fit).toMatchObject({ connections: 1000 - fdBudget.onTheirWay / 2 });
  });

  test('what is left over is for pipes, the same for each worker', () => {
    expect(fitConnections(demand, fixed + 2000).pipes).toBe(0);
    expect(fitConnections(demand, fixed + 2000 + 43).pipes).toBe(10);
    expect(fitConnections(demand, 1 << 20).pipes).toBe(fdBudget.pipesPerWorkerMax);
  });
});
