/** Datagrams that are checked at both ends: bench/system/load/udp_client.cc and udp_endpoint.cc. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { freePort } from './ports.js';
import { cleanEnvironment, collect, startDatagramProgram } from './process.js';
import { provide } from './steady.js';
import { within } from './wait.js';

/** Arguments of udp_client.cc, where they are told. */
export type Shape = Readonly<
  Partial<
    Record<
      | 'flows'
      | 'active'
      | 'rounds'
      | 'turn'
      | 'window'
      | 'bytes'
      | 'answers'
      | 'answer_bytes'
      | 'dns'
      | 'offload'
      | 'hold',
      number
    >
  >
>;

/** `astray`: of another flow. */
export const faultNames = ['lost', 'wrong', 'twice', 'reordered', 'astray'] as const;
export type Faults = Readonly<Record<(typeof faultNames)[number], number>>;

/** What the endpoint has got. */
export type Served = Faults & { readonly requests: number };
/** What the clients have got. */
export type Exchanged = Faults & { readonly rounds: number; readonly seconds: number };

export const noFaults: Faults = { lost: 0, wrong: 0, twice: 0, reordered: 0, astray: 0 };

export interface Placing {
  /** A command that runs the program, such as `taskset -c 1`. */
  readonly wrapper?: readonly string[];
}

export interface ExchangeEndpoint {
  readonly port: number;
  readonly target: string;
  readonly pid: number;
  /** Since it was asked before. */
  served(): Promise<Served>;
  stop(): Promise<void>;
}

/** `offload`: the answers to a request leave as one segmented message. */
export async function startExchangeEndpoint({
  offload = 0,
  wrapper = [],
}: Placing & { offload?: number } = {}): Promise<ExchangeEndpoint> {
  const port = await freePort();
  const command = [...wrapper, await provide('udp_endpoint'), `port=${port}`, `offload=${offload}`];
  const [program = '', ...args] = command;
  const { child, pid, stop } = await startDatagramProgram(program, args, port, { stdio: 'pipe' });
  if (!child.stdin || !child.stdout) throw new Error('the endpoint was started without pipes');
  const lines = createInterface({ input: child.stdout });
  const served = async () => {
    const line = once(lines, 'line') as Promise<[string]>;
    child.stdin?.write('\n');
    const [text] = await within('the endpoint to say what it has got', line);
    return figuresOf(text) as Served;
  };
  return { port, target: `127.0.0.1:${port}`, pid, served, stop };
}

export interface Exchange {
  /** When all flows have finished, or nothing comes any more. */
  readonly finished: Promise<Exchanged>;
  /** Ends flows that are held; resolves with what came after `finished`. */
  leave(): Promise<Exchanged>;
}

export async function startExchange(
  port: number,
  shape: Shape,
  { wrapper = [] }: Placing = {},
): Promise<Exchange> {
  const args = Object.entries({ port, ...shape }).map(([name, value]) => `${name}=${value}`);
  const [program = '', ...rest] = [...wrapper, await provide('udp_client'), ...args];
  const child = spawn(program, rest, { env: cleanEnvironment(), stdio: 'pipe' });
  const errors = collect(child.stderr);
  const lines: string[] = [];
  const input = createInterface({ input: child.stdout }).on('line', (line) => lines.push(line));
  const closed = once(child, 'close') as Promise<[number | null]>;
  const figures = (line: string | undefined): Exchanged => {
    if (line === undefined) throw new Error(`udp_client ${rest.join(' ')}: ${errors()}`);
    return figuresOf(line) as Exchanged;
  };
  const first = within('all flows to finish', Promise.race([once(input, 'line'), closed]), FINISH_MS);
  first.catch(() => child.kill('SIGKILL'));
  return {
    finished: first.then(() => figures(lines[0])),
    async leave() {
      child.stdin.end();
      await within('the clients to leave', closed);
      return figures(lines[1]);
    },
  };
}

/** The machine may be busy with something else. */
const FINISH_MS = 200_000;

/** A whole exchange. */
export async function exchange(port: number, shape: Shape, placing?: Placing): Promise<Exchanged> {
  return (await startExchange(port, shape, placing)).finished;
}

const figuresOf = (line: string): unknown =>
  Object.fromEntries([...line.matchAll(/(\w+)=([\d.]+)/g)].map(([, name, value]) => [name, Number(value)]));

/** Whatever is not 0, such as `lost 3, twice 1`; empty where nothing is wrong. */
export const faultsText = (faults: Faults): string =>
  faultNames
    .filter((name) => faults[name] > 0)
    .map((name) => `${name} ${faults[name]}`)
    .join(', ');
