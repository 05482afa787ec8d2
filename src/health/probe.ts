/** One probe of one address: opens the line, runs the check, ends with the deadline. Always an outcome. */
import { isIP } from 'node:net';
import type { SocketAddress } from '../model/address.js';
import { type CheckContext, type HealthCheck, type Outcome, type Over, overOf } from './check.js';
import { DatagramLine } from './datagram-line.js';
import { type Line, LineFault } from './line.js';
import { NoLine } from './no-line.js';
import { StreamLine } from './stream-line.js';
import { at, goThrough, type Way } from './way.js';

export interface ProbeAsk {
  readonly check: HealthCheck;
  /** The check's own options. */
  readonly options: object;
  readonly address: SocketAddress;
  /** Addresses to ask from, at most one of a family. */
  readonly from?: readonly string[];
  /** Sent first, over UDP before every datagram; null: nothing. */
  readonly greeting?: Uint8Array | null;
  /** The address is a proxy's, and this is how it goes on from there; null: it is the endpoint's. */
  readonly way?: Way | null;
  readonly context: Pick<CheckContext, 'serverName' | 'upstream' | 'endpoint'>;
  readonly timeoutMs: number;
  /** Calls it off. */
  readonly signal: AbortSignal;
}

export async function probe({ timeoutMs, ...ask }: ProbeAsk): Promise<Outcome> {
  const over = new AbortController();
  const late: Outcome = { well: false, why: `no answer within ${timeoutMs} ms` };
  let end = (_: Outcome) => {};
  const ended = new Promise<Outcome>((resolve) => {
    end = resolve;
  });
  const timer = setTimeout(() => end(late), timeoutMs);
  const callOff = () => end({ well: false, why: 'called off' });
  ask.signal.addEventListener('abort', callOff, { once: true });
  if (ask.signal.aborted) callOff();
  try {
    return await Promise.race([ended, asked(ask, over.signal)]);
  } finally {
    clearTimeout(timer);
    ask.signal.removeEventListener('abort', callOff);
    over.abort();
  }
}

type Asked = Omit<ProbeAsk, 'timeoutMs'>;

async function asked(
  { check, options, address, from = [], context, greeting = null, way = null }: Asked,
  over: AbortSignal,
): Promise<Outcome> {
  let line: Line | null = null;
  try {
    const transport = overOf(check, options);
    line = await lines[transport](address, over, { source: sourceFor(address, from), greeting, way });
    return await check.run(line, options, { ...(way?.place ?? placeOf(address)), ...context });
  } catch (error) {
    return { well: false, why: whyOf(error) };
  } finally {
    line?.close();
  }
}

/** The one of the address's family, if there is one. */
const sourceFor = (address: SocketAddress, from: readonly string[]): string | undefined =>
  'path' in address ? undefined : from.find((each) => isIP(each) === isIP(address.host));

const placeOf = (address: SocketAddress): Pick<CheckContext, 'host' | 'port'> =>
  'path' in address ? { host: '', port: 0 } : address;

/** A fault of the check itself must not end the daemon, whatever an endpoint has sent. */
const whyOf = (error: unknown): string =>
  error instanceof LineFault
    ? error.message
    : `the check failed (${error instanceof Error ? error.name : 'unknown'})`;

interface Opening {
  readonly source: string | undefined;
  readonly greeting: Uint8Array | null;
  readonly way: Way | null;
}

const lines = {
  async tcp(address, signal, { source, greeting, way }) {
    const line = await at(way?.asks[0], () => StreamLine.open(address, signal, source));
    try {
      if (way !== null) await goThrough(line, way);
      if (greeting !== null) line.write(greeting);
      return line;
    } catch (error) {
      line.close();
      throw error;
    }
  },
  udp: (address, signal, { source, greeting }) => DatagramLine.open(address, signal, source, greeting),
  nothing: async (_, signal) => new NoLine(signal),
} satisfies Record<Over, (address: SocketAddress, signal: AbortSignal, opening: Opening) => Promise<Line>>;
