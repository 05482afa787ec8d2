import { describe, expect, test } from 'vitest';
import { adminLimits } from '../../src/admin/server.js';
import { visitorLimits } from '../../src/admin/visitors.js';
import type { Demand } from '../../src/budget/demand.js';
import { totalOf } from '../../src/budget/need.js';
import { fileCosts, fileNeeds, fitOpenFiles, shortageText } from '../../src/budget/open-files.js';
import { proberLimits } from '../../src/health/prober.js';

const demand: Demand = {
  connections: 1000,
  flows: 0,
  datagramSockets: 0,
  receiveBufferBytes: 4_194_304,
  workers: 2,
  listeningSockets: 4,
  handoff: false,
  monitors: 0,
  control: false,
  handlers: false,
  tarpit: 0,
  proxy: false,
  warm: 0,
  checked: 0,
  links: { in: false, out: false },
  secured: false,
  linkSockets: 0,
  names: false,
  sources: false,
  passwordBytes: 0,
  bufferBytes: 32_768,
};
const fixed =
  fileCosts.process +
  fileCosts.reading +
  fileCosts.upgrade +
  2 * fileCosts.worker +
  4 * fileCosts.listeningSocket;

describe('connections that the limit of open files allows', () => {
  const cases = [
    { why: 'all, when the files just suffice', files: fixed + 2000, connections: 1000 },
    { why: 'one fewer, when one file is missing', files: fixed + 1999, connections: 999 },
    { why: 'never more than are wanted', files: 1 << 20, connections: 1000 },
    { why: 'none, when nothing is left for them', files: fixed + 1, connections: 0 },
    { why: 'none, and not less, when not even the daemon fits', files: 10, connections: 0 },
  ];
  test.each(cases)('$why', ({ files, connections }) => {
    expect(fitOpenFiles(demand, files)).toMatchObject({ connections, needed: fixed + 2000 });
  });

  test('what is left over is for pipes, the same for each worker', () => {
    expect(fitOpenFiles(demand, fixed + 2000).pipes).toBe(0);
    expect(fitOpenFiles(demand, fixed + 2000 + 43).pipes).toBe(10);
    expect(fitOpenFiles(demand, 1 << 20).pipes).toBe(fileCosts.pipesPerWorkerMax);
  });
});

describe('who takes open files', () => {
  const { probesMax } = proberLimits;
  const kept = (servers: number) => servers * fileCosts.server;
  const cases: { why: string; asks: Partial<Demand>; more: number }[] = [
    { why: 'a session that a handler serves takes one more', asks: { handlers: true }, more: 1000 },
    { why: 'those in the tarpit, beyond the sessions', asks: { tarpit: 100 }, more: 100 },
    { why: 'refused clients of each worker, and a race', asks: { proxy: true }, more: 2 * (128 + 15) },
    { why: 'connections opened ahead', asks: { warm: 100 }, more: 100 },
    { why: 'checks of endpoints', asks: { checked: 100 }, more: 100 },
    { why: 'as many checks as run at once', asks: { checked: 5000 }, more: probesMax },
    { why: 'a race of each worker, and name servers', asks: { names: true }, more: 2 * 15 + 6 },
    { why: 'what is on its way to a worker', asks: { handoff: true }, more: 2 * fileCosts.acceptsPerTurn },
    { why: 'clients of metrics', asks: { monitors: 1 }, more: visitorLimits.connectionsMax + kept(1) },
    {
      why: 'clients of metrics and health',
      asks: { monitors: 2 },
      more: visitorLimits.connectionsMax + kept(2),
    },
    {
      why: 'clients of the control interface',
      asks: { control: true },
      more: adminLimits.connectionsMax + kept(1),
    },
    { why: 'streams of links of clients', asks: { links: { in: true, out: false } }, more: 1000 },
    { why: 'TLS to a proxy', asks: { secured: true }, more: 2000 },
    { why: 'streams at both ends', asks: { links: { in: true, out: true }, linkSockets: 4 }, more: 2004 },
    { why: 'another worker and its two sockets', asks: { workers: 3, listeningSockets: 6 }, more: 9 + 4 },
  ];
  test.each(cases)('$why', ({ asks, more }) => {
    const fit = fitOpenFiles({ ...demand, ...asks }, 1 << 20);
    expect(fit.needed).toBe(fixed + 2000 + more);
    expect(totalOf(fit.items)).toBe(fit.needed);
  });

  test('each row says why', () => {
    expect(fileNeeds.filter(({ name, why }) => name === '' || why === '')).toEqual([]);
    expect(new Set(fileNeeds.map(({ name }) => name)).size).toBe(fileNeeds.length);
  });
});

describe('flows', () => {
  const both = { ...demand, flows: 5000, datagramSockets: 2, listeningSockets: 6 };
  const beside = fixed + 2 * fileCosts.listeningSocket;
  const cases = [
    { why: 'all, when the files just suffice', files: beside + 7000, connections: 1000, flows: 5000 },
    { why: 'lose their places before connections', files: beside + 2300, connections: 1000, flows: 300 },
    { why: 'but keep some of them', files: beside + 2000, connections: 872, flows: 256 },
    { why: 'and half of a little', files: beside + 100, connections: 25, flows: 50 },
  ];
  test.each(cases)('$why', ({ files, connections, flows }) => {
    expect(fitOpenFiles(both, files)).toMatchObject({ connections, flows, needed: beside + 7000 });
  });

  test('alone: connections take nothing', () => {
    const alone = { ...both, connections: 0 };
    expect(fitOpenFiles(alone, beside + 400)).toMatchObject({ connections: 0, flows: 400 });
    expect(shortageText(fitOpenFiles(alone, beside + 400), beside + 400)).toMatch(
      /: 5,000 flows, .*, or lower server\.udp\.max_flows to 400$/,
    );
  });

  test('what is said of both', () =>
    expect(shortageText(fitOpenFiles(both, beside + 2000), beside + 2000)).toMatch(
      /, or lower server\.max_connections to 872 and server\.udp\.max_flows to 256$/,
    ));

  test('a handler takes one more', () =>
    expect(fitOpenFiles({ ...both, handlers: true }, 1 << 20).needed).toBe(beside + 3000 + 10_000));
});

describe('accept: handoff', () => {
  const handed = { ...demand, handoff: true };
  const suffices = fixed + 2000 + 2 * fileCosts.acceptsPerTurn;

  test('where files are few the primary accepts fewer at once, for connections to serve', () => {
    expect(fitOpenFiles(handed, suffices)).toMatchObject({
      connections: 1000,
      acceptsPerTurn: fileCosts.acceptsPerTurn,
    });
    expect(fitOpenFiles(handed, suffices - 1)).toMatchObject({ connections: 1000, acceptsPerTurn: 4 });
    expect(fitOpenFiles(handed, fixed + 20 + 8)).toMatchObject({ connections: 10, acceptsPerTurn: 4 });
  });
});

describe('what is said of too few', () => {
  test('what is needed, what takes it, what there is, what to raise, and what fits', () => {
    const few = { ...demand, connections: 1024, control: true };
    expect(shortageText(fitOpenFiles(few, 1024), 1024)).toBe(
      'needs 2,156 open files: 1,024 connections x 2, 34 for the control interface, ' +
        '24 for the process itself, 20 for reading a changed configuration, 2 workers x 9, ' +
        '4 listening sockets x 2, 4 for an upgrade in place; the limit is 1,024: ' +
        'raise it by `ulimit -n 2156` (in a systemd unit LimitNOFILE=2156), ' +
        'or lower server.max_connections to 458',
    );
  });

  test('when not one connection fits: the keys that take most beside them', () => {
    const greedy = { ...demand, tarpit: 200, warm: 250 };
    expect(shortageText(fitOpenFiles(greedy, 400), 400)).toMatch(
      /; the limit is 400: .*, or lower upstreams\.NAME\.pool\.warm \(takes 250\) and server\.tarpit_max \(takes 200\)$/,
    );
  });

  test('when nothing can be lowered, only what to raise', () => {
    const text = shortageText(fitOpenFiles({ ...demand, workers: 1 }, 20), 20);
    expect(text).toMatch(/\(in a systemd unit LimitNOFILE=\d+\)$/);
  });
});
