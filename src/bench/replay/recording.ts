/**
 * A recording: the load that sessions were, without a byte, a name or an address of theirs. Lines of JSON: a head, then a
 * session each, by arrival. Pure.
 */
import { protocols } from '../../protocols/index.js';

export interface RecordedSession {
  /** Milliseconds from the beginning of the recording; negative: it was open by then. */
  readonly at: number;
  /** Id of a built-in protocol, or `custom`; null: it was not identified. */
  readonly protocol: string | null;
  /** Which of the listeners, and of the upstreams: numbers, as they came. */
  readonly listener: number;
  readonly upstream: number;
  /** Bytes that had come when it was routed; they are in `up`. */
  readonly opening: number;
  /** Bytes from the client, and to it. */
  readonly up: number;
  readonly down: number;
  /** Milliseconds from accept to end. */
  readonly lasted: number;
  /** Who ended it. */
  readonly by: 'client' | 'upstream' | 'other';
}

export interface Recording {
  /** How long was recorded, in milliseconds. */
  readonly span: number;
  /** Sessions that are not in it, and why: their number by `udp`, `custom` … */
  readonly left_out: Readonly<Record<string, number>>;
  /** By arrival. */
  readonly sessions: readonly RecordedSession[];
}

export const CUSTOM = 'custom';

const DAY_MS = 86_400_000;
export const recordingLimits = {
  sessionsMax: 1_000_000,
  /** A session takes about 150. */
  fileBytesMax: 256 * 1024 * 1024,
  spanMsMax: 7 * DAY_MS,
  lastedMsMax: 30 * DAY_MS,
  /** Those beyond count as the last one. */
  listenersMax: 16,
  upstreamsMax: 64,
  openingBytesMax: 65_536,
  bytesMax: 2 ** 40,
  /** Why sessions were left out. */
  reasonsMax: 20,
  /** Told of a file that is wrong. */
  problemsMax: 10,
} as const;

export const RECORDING_VERSION = 1;

const ids: ReadonlySet<string> = new Set([...protocols.map(({ id }) => id), CUSTOM]);
/** Of a protocol's name: what may be in a recording. */
export const protocolIn = (name: string): string => (ids.has(name) ? name : CUSTOM);

type Check = (value: unknown) => string | null;

const number =
  (least: number, most: number): Check =>
  (value) =>
    typeof value === 'number' && value >= least && value <= most ? null : `give ${least} to ${most}`;
const whole =
  (most: number): Check =>
  (value) =>
    Number.isInteger(value) ? number(0, most)(value) : `give a whole number, 0 to ${most}`;
const oneOf =
  (values: readonly unknown[]): Check =>
  (value) =>
    values.includes(value) ? null : `give ${values.map((each) => JSON.stringify(each)).join(', ')}`;

const limits = recordingLimits;
const sessionFields: Readonly<Record<keyof RecordedSession, Check>> = {
  at: number(-limits.lastedMsMax, limits.spanMsMax),
  protocol: (value) =>
    value === null || ids.has(value as string) ? null : 'give the id of a protocol, "custom" or null',
  listener: whole(limits.listenersMax - 1),
  upstream: whole(limits.upstreamsMax - 1),
  opening: whole(limits.openingBytesMax),
  up: whole(limits.bytesMax),
  down: whole(limits.bytesMax),
  lasted: number(0, limits.lastedMsMax),
  by: oneOf(['client', 'upstream', 'other']),
};
const headFields: Readonly<Record<string, Check>> = {
  anyport_recording: (value) =>
    value === RECORDING_VERSION
      ? null
      : `this anyport reads version ${RECORDING_VERSION}: record again, or use the anyport that wrote it`,
  span: number(0, limits.spanMsMax),
  left_out: leftOut,
};

/** It is printed. */
const REASON = /^[a-z ]{1,40}$/;

function leftOut(value: unknown): string | null {
  const reasons = Object(value) === value ? Object.entries(value as object) : null;
  const isRight =
    reasons !== null &&
    reasons.length <= limits.reasonsMax &&
    reasons.every(([name, count]) => REASON.test(name) && whole(2 ** 53)(count) === null);
  return isRight ? null : `give at most ${limits.reasonsMax} numbers of sessions by a name in small letters`;
}

export function recordingText({ sessions, ...head }: Recording): string {
  const lines = [{ anyport_recording: RECORDING_VERSION, ...head }, ...sessions];
  return `${lines.map((each) => JSON.stringify(each)).join('\n')}\n`;
}

export type ReadRecording =
  | { readonly ok: true; readonly recording: Recording }
  /** `LINE:COLUMN: what is wrong`. */
  | { readonly ok: false; readonly problems: readonly string[] };

export function readRecording(text: string): ReadRecording {
  const problems: string[] = [];
  const sessions: RecordedSession[] = [];
  let head: Omit<Recording, 'sessions'> | null = null;
  let number = 0;
  for (const line of linesIn(text)) {
    number += 1;
    const found = objectIn(line, number === 1 ? headFields : sessionFields);
    if (!found.ok) problems.push(...found.problems.map((each) => `${number}:${each}`));
    else if (number === 1) head = found.value as Omit<Recording, 'sessions'>;
    else {
      const wrong = misplaced(found.value as RecordedSession, sessions.at(-1));
      if (wrong === null) sessions.push(found.value as RecordedSession);
      else problems.push(`${number}:${columnOf(line, 'at')}: ${wrong}`);
    }
    if (number > limits.sessionsMax + 1)
      problems.push(`${number}:1: more than ${limits.sessionsMax} sessions`);
    // Without a head it is another file.
    if (head === null || problems.length >= limits.problemsMax) break;
  }
  if (number === 0) problems.push('1:1: it is empty');
  else if (problems.length === 0 && sessions.length === 0) problems.push('2:1: there is no session');
  if (head === null || problems.length > 0)
    return { ok: false, problems: problems.slice(0, limits.problemsMax) };
  return { ok: true, recording: { span: head.span, left_out: head.left_out, sessions } };
}

function* linesIn(text: string): Generator<string> {
  for (let from = 0; from < text.length; ) {
    const found = text.indexOf('\n', from);
    const end = found < 0 ? text.length : found;
    yield text.slice(from, end);
    from = end + 1;
  }
}

function misplaced({ at, lasted }: RecordedSession, before: RecordedSession | undefined): string | null {
  if (before !== undefined && at < before.at) return 'at: sessions have to be in the order of their arrival';
  return at + lasted < 0 ? 'at: it was over before the recording began' : null;
}

type Found =
  | { readonly ok: true; readonly value: object }
  /** Each with its column. */
  | { readonly ok: false; readonly problems: readonly string[] };

function objectIn(line: string, fields: Readonly<Record<string, Check>>): Found {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch (error) {
    const at = Number(/position (\d+)/.exec((error as Error).message)?.[1] ?? 0);
    return { ok: false, problems: [`${at + 1}: this is not JSON`] };
  }
  if (Object(value) !== value || Array.isArray(value)) return { ok: false, problems: ['1: give an object'] };
  const problems = problemsOf(value as Record<string, unknown>, line, fields);
  return problems.length === 0 ? { ok: true, value: value as object } : { ok: false, problems };
}

function problemsOf(
  object: Readonly<Record<string, unknown>>,
  line: string,
  fields: Readonly<Record<string, Check>>,
): string[] {
  const unknown = Object.keys(object).filter((key) => !Object.hasOwn(fields, key));
  return [
    ...unknown.map((key) => `${columnOf(line, key)}: unknown key ${JSON.stringify(key.slice(0, 40))}`),
    ...Object.entries(fields).flatMap(([key, check]) => {
      if (!Object.hasOwn(object, key)) return [`1: lacks ${key}`];
      const wrong = check(object[key]);
      return wrong === null ? [] : [`${columnOf(line, key)}: ${key}: ${wrong}`];
    }),
  ];
}

const columnOf = (line: string, key: string): number => line.indexOf(JSON.stringify(key)) + 1;
