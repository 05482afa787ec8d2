/** The workloads as data: how the ends are set, what the wire does, what is carried, and what is to be reached. */

import type { Direction } from '../../test/support/tunnel-load.js';
import type { Conditions } from '../../test/support/wire.js';
import { OURS, type OurName } from './contenders.js';

/** Of both ends. */
export interface Settings {
  readonly crypt: 'none' | 'aes';
  /** Data and parity shards. */
  readonly fec: readonly [number, number];
  readonly mode: 'fast' | 'fast3';
  /** In segments; absent: each end's default. */
  readonly windows?: number;
}

/** What a run yields; less is better but of `goodput`. */
export const figures = {
  cpu: { label: 'server CPU, s/GB', digits: 2 },
  goodput: { label: 'goodput, MB/s', digits: 1 },
  /** With 28 bytes of IPv4 and UDP in each datagram, in the direction of the payload, what was lost included. */
  wire: { label: 'wire/payload', digits: 3 },
  p50: { label: 'p50, ms', digits: 1 },
  p99: { label: 'p99, ms', digits: 1 },
  idle1: { label: '1 idle session, ms/s', digits: 2 },
  idle200: { label: '200 idle sessions, ms/s', digits: 2 },
  memory: { label: 'memory of one, KB', digits: 1 },
} as const;
export type FigureName = keyof typeof figures;

/** A bound for a figure: `ratio` to kcptun in the same round, or a value. */
export interface Goal {
  readonly figure: FigureName;
  readonly of: 'ratio' | 'value';
  readonly ours: readonly OurName[];
  readonly must: number;
  readonly target: number;
  readonly stretch: number;
}

export type Work =
  | { readonly kind: 'transfer'; readonly direction: Direction; readonly bytes: number }
  | { readonly kind: 'ping'; readonly forMs: number }
  /** `many`: of 200 sessions too, and their memory. */
  | { readonly kind: 'idle'; readonly many: boolean };

export interface Workload {
  readonly name: string;
  readonly why: string;
  readonly settings: Settings;
  readonly conditions: Conditions;
  readonly work: Work;
  readonly goals: readonly Goal[];
}

type Bounds = readonly [must: number, target: number, stretch: number];

const goal =
  (of: Goal['of'], ours: Goal['ours']) =>
  (figure: FigureName, ...[must, target, stretch]: Bounds): Goal => ({
    figure,
    of,
    ours,
    must,
    target,
    stretch,
  });

const [ourEnd, bothEnds] = OURS;
const ratio = goal('ratio', OURS);
const value = goal('value', OURS);
/** What depends on the wire's format, or on both ends. */
const ratioOnTheirWire = goal('ratio', [ourEnd]);
const valueOnTheirWire = goal('value', [ourEnd]);
const ratioOnOurWire = goal('ratio', [bothEnds]);

const plain = { crypt: 'none', fec: [0, 0], mode: 'fast' } as const;
const guarded = { crypt: 'aes', fec: [10, 3], mode: 'fast' } as const;
const wide = { windows: 2048 } as const;

const MB = 1e6;
/** Each way. */
const lossy: Conditions = { loss: 500, delay_us: 20_000 };

/** `scale` 1 is the full run; below 1, shorter runs of the same shape. */
export function workloads(scale: number): Workload[] {
  const megabytes = (count: number): number => Math.max(1, Math.round(count * scale)) * MB;
  return [...cpu(megabytes), ...goodput(megabytes), ...roundTrips(scale), ...idle];
}

type Megabytes = (count: number) => number;

const transfer = (direction: Direction, bytes: number): Work => ({ kind: 'transfer', direction, bytes });

const cpu = (megabytes: Megabytes): Workload[] => [
  {
    name: 'down-none',
    why: 'downloads, no cipher, no parity, windows of 2,048, nothing lost',
    settings: { ...plain, ...wide },
    conditions: {},
    work: transfer('down', megabytes(256)),
    goals: [ratio('cpu', 0.35, 0.18, 0.08), valueOnTheirWire('wire', 1.07, 1.06, 1.06)],
  },
  {
    name: 'down-aes',
    why: 'the same with aes and 10:3',
    settings: { ...guarded, ...wide },
    conditions: {},
    work: transfer('down', megabytes(192)),
    goals: [ratio('cpu', 0.35, 0.15, 0.08), valueOnTheirWire('wire', 1.45, 1.39, 1.38)],
  },
  {
    name: 'up-none',
    why: 'uploads, no cipher, no parity, windows of 2,048, nothing lost',
    settings: { ...plain, ...wide },
    conditions: {},
    work: transfer('up', megabytes(256)),
    goals: [ratio('cpu', 0.4, 0.22, 0.13)],
  },
  {
    name: 'up-aes',
    why: 'the same with aes and 10:3',
    settings: { ...guarded, ...wide },
    conditions: {},
    work: transfer('up', megabytes(192)),
    goals: [ratio('cpu', 0.4, 0.2, 0.12)],
  },
  {
    name: 'loss-aes',
    why: 'downloads, aes and 10:3, windows of 2,048, 5 % lost and 20 ms each way',
    settings: { ...guarded, ...wide },
    conditions: lossy,
    work: transfer('down', megabytes(96)),
    goals: [ratio('cpu', 0.4, 0.2, 0.1)],
  },
];

const goodput = (megabytes: Megabytes): Workload[] => [
  {
    name: 'default-down',
    why: 'downloads, default windows, no cipher, no parity, nothing lost',
    settings: plain,
    conditions: {},
    work: transfer('down', megabytes(128)),
    goals: [ratio('goodput', 1, 1.25, 1.25)],
  },
  {
    name: 'default-up',
    why: 'uploads, the same',
    settings: plain,
    conditions: {},
    work: transfer('up', megabytes(48)),
    goals: [ratio('goodput', 2, 5, 10)],
  },
  {
    name: 'default-loss',
    why: 'downloads, default windows, no cipher, no parity, 5 % lost and 20 ms each way',
    settings: plain,
    conditions: lossy,
    work: transfer('down', megabytes(32)),
    goals: [
      ratioOnTheirWire('goodput', 1, 1.5, 2),
      ratioOnOurWire('goodput', 2, 3, 3),
      valueOnTheirWire('wire', 1.21, 1.15, 1.12),
    ],
  },
  {
    name: 'default-loss-aes',
    why: 'the same with aes and 10:3',
    settings: guarded,
    conditions: lossy,
    work: transfer('down', megabytes(48)),
    goals: [
      ratioOnTheirWire('goodput', 1, 1.2, 1.5),
      ratioOnOurWire('goodput', 2, 3, 3),
      valueOnTheirWire('wire', 1.6, 1.5, 1.42),
    ],
  },
];

const roundTrips = (scale: number): Workload[] =>
  (['fast', 'fast3'] as const).map((mode) => ({
    name: `ping-${mode}`,
    why: `64-byte round trips, one at a time, ${mode}, no parity, 5 % lost and 20 ms each way`,
    settings: { ...plain, mode },
    conditions: lossy,
    work: { kind: 'ping', forMs: Math.round(20_000 * scale) },
    goals: [mode === 'fast' ? value('p99', 180, 130, 100) : value('p99', 130, 105, 90)],
  }));

const idle: Workload[] = [
  {
    name: 'idle',
    why: 'sessions with one silent connection each, aes and 10:3: CPU beyond that without any, private memory',
    settings: guarded,
    conditions: {},
    work: { kind: 'idle', many: true },
    goals: [value('idle1', 0.5, 0.1, 0.02), value('idle200', 8, 2, 0.5), value('memory', 24, 8, 3)],
  },
  {
    name: 'idle-fast3',
    why: 'one such session, fast3',
    settings: { ...guarded, mode: 'fast3' },
    conditions: {},
    work: { kind: 'idle', many: false },
    goals: [value('idle1', 0.5, 0.1, 0.02)],
  },
];
