/** What a program changes of a connection of reliable UDP while it is open, as the wire shows it. */
import { once } from 'node:events';
import { afterEach, describe, expect, test } from 'vitest';
import type { KcpOptions, KcpServer, KcpSocket } from '../../src/index.js';
import { Tap } from '../support/tap.js';
import { describeWith } from '../support/tools.js';
import { eventually, within } from '../support/wait.js';
import { startWire } from '../support/wire.js';
import { ANY, anyport, host } from './anyport.js';

const { connectKcp, createKcpServer } = anyport;

const plain: KcpOptions = { secret: 'a long and random secret', fec: { data: 0, parity: 0 } };

const open: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of open.splice(0).toReversed()) await close();
});

const ignoreErrors = (socket: KcpSocket): KcpSocket => socket.on('error', () => {});

/** Sends back what comes. */
async function serve(options: KcpOptions) {
  const given: KcpSocket[] = [];
  const server: KcpServer = createKcpServer(options, (socket) => {
    given.push(ignoreErrors(socket));
    socket.pipe(socket);
  });
  open.push(() => server.close());
  const { port } = await server.listen(ANY);
  return { given, port };
}

async function connect(port: number, options: KcpOptions): Promise<KcpSocket> {
  const socket = ignoreErrors(await connectKcp({ host, port, ...options }));
  open.push(() => socket.destroy());
  return socket;
}

/** So many bytes there and back. */
async function echoed(socket: KcpSocket, bytes: number): Promise<void> {
  const until = socket.bytesRead + bytes;
  const whole = new Promise<void>((resolve) => {
    const look = () => {
      if (socket.bytesRead < until) return;
      socket.off('data', look);
      resolve();
    };
    socket.on('data', look);
  });
  socket.write(Buffer.alloc(bytes, 'x'));
  await within('the echo', whole);
}

/** Everything that was sent is known to have come. */
const rest = (...sockets: readonly KcpSocket[]) =>
  eventually('nothing to be under way', () => sockets.every((socket) => socket.stats()?.inFlight === 0));

describe('setMtu', () => {
  test.each([
    { why: 'without parity', fec: { data: 0, parity: 0 } },
    { why: 'with parity', fec: { data: 10, parity: 3 } },
  ])('sizes the datagrams of its own end, $why', async ({ fec }) => {
    const options = { ...plain, fec, mtu: 1000 };
    const { port, given } = await serve(options);
    const tap = await Tap.open(port);
    open.push(() => tap.close());
    const socket = await connect(tap.port, options);
    const largest = async () => {
      tap.forget();
      await echoed(socket, 200_000);
      await rest(socket, ...given);
      return [Math.max(...tap.up), Math.max(...tap.down)];
    };
    expect(await largest()).toEqual([1000, 1000]);
    socket.setMtu(576);
    expect(await largest()).toEqual([576, 1000]);
    given[0]?.setMtu(1300);
    expect(await largest()).toEqual([576, 1300]);
    for (const end of [socket, ...given]) end.setMtu(1500);
    expect(await largest()).toEqual([1500, 1500]);
  });
});

describeWith('g++')('setWindow, over a wire of 20 ms each way', () => {
  const ROUND_TRIP_MS = 40;
  const BYTES = 100_000;
  /** Of a segment; with headers it is a datagram of 1,350. */
  const SEGMENT_BYTES = 1350;
  const WIDE = 512;
  const NARROW = 4;
  /** Until the last segment may leave: each waits until the one a window before it is acknowledged. */
  const NARROW_MS = Math.floor(BYTES / SEGMENT_BYTES / NARROW) * ROUND_TRIP_MS;

  test.each(['send', 'receive'] as const)('the window to %s', async (which) => {
    const { port, given } = await serve(plain);
    const wire = await startWire(port, { delay_us: (ROUND_TRIP_MS / 2) * 1000 });
    open.push(() => wire.stop());
    const socket = await connect(wire.port, plain);
    await echoed(socket, 1);
    const [peer] = given as [KcpSocket];
    /** Of the way up. */
    const setWindow = (segments: number) => {
      if (which === 'send') socket.setWindow(segments, WIDE);
      else peer.setWindow(WIDE, segments);
    };
    const milliseconds = async () => {
      await echoed(socket, 1); // the other end knows of the window
      await rest(socket, peer);
      const began = performance.now();
      await echoed(socket, BYTES);
      return performance.now() - began;
    };
    setWindow(NARROW);
    const narrow = await milliseconds();
    expect(narrow).toBeGreaterThan(NARROW_MS);
    setWindow(WIDE);
    // The least of several: other work on the machine is not the window's.
    const wide = Math.min(await milliseconds(), await milliseconds(), await milliseconds());
    expect(wide).toBeLessThan(narrow / 2);
  });
});

describe('setInterval', () => {
  test('bounds the time until silence makes it send again', async () => {
    const { port, given } = await serve(plain);
    const tap = await Tap.open(port);
    open.push(() => tap.close());
    const [eager, patient] = [await connect(tap.port, plain), await connect(tap.port, plain)];
    await Promise.all([eager, patient].map((socket) => echoed(socket, 1)));
    await rest(eager, patient, ...given);
    eager.setInterval(10);
    patient.setInterval(5000);
    tap.isCut = true;
    const resends = (socket: KcpSocket, before = 0) => (socket.stats()?.retransmits ?? 0) - before;
    const [before, patientBefore] = [resends(eager), resends(patient)];
    const back = [eager, patient].map((socket) => once(socket, 'data'));
    // More than what is sent twice because it is small.
    for (const socket of [patient, eager]) socket.write(Buffer.alloc(2000));
    await eventually('several resends', () => resends(eager, before) > 4);
    expect(resends(patient, patientBefore)).toBe(0);
    patient.setInterval(10);
    await eventually('one of the other, too', () => resends(patient, patientBefore) > 0);
    tap.isCut = false;
    await within('the echoes', Promise.all(back));
  });
});
