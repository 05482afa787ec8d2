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
  left_out: (value) =>
    Object(value) === value && Object.values(value as object).every((each) => whole(2 ** 53)(each) === null)
      ? null
      : 'give numbers of sessions by name',
};

export function recordingText({ sessions, ...head }: Recording): string {
  const lines = [{ anyport_recording: RECORDING_VERSION, ...head }, ...sessions];
  return `${lines.map((each) => JSON.stringify(each)).join('\n')}\n`;
}

export type ReadRecording =
  | { readonly ok: true; readonly recording: Recording }
  /** `LINE:COLUMN: what is wrong`. */
  | { readonly ok: false; readonly problems: readonly string[] };

export function readRecording(text: string): ReadRecording {
  const [first = '', ...lines] = text.split('\n');
  const problems: string[] = [];
  const read = <Fields>(line: string, at: number, fields: Readonly<Record<string, Check>>): Fields | null => {
    const found = problemsOf(line, fields);
    if (Array.isArray(found)) problems.push(...found.map((each) => `${at}:${each}`));
    return Array.isArray(found) ? null : (found as Fields);
  };
  const head = read<Omit<Recording, 'sessions'>>(first, 1, headFields);
  if (head === null) return { ok: false, problems };
  if (lines.at(-1) === '') lines.pop();
  if (lines.length > limits.sessionsMax)
    return { ok: false, problems: [`${limits.sessionsMax + 2}:1: more than ${limits.sessionsMax} sessions`] };
  const sessions: RecordedSession[] = [];
  for (const [index, line] of lines.entries()) {
    const session = read<RecordedSession>(line, index + 2, sessionFields);
    if (session === null && problems.length >= limits.problemsMax) break;
    if (session === null) continue;
    const wrong = misplaced(session, sessions.at(-1));
    if (wrong === null) sessions.push(session);
    else problems.push(`${index + 2}:${columnOf(line, 'at')}: ${wrong}`);
  }
  if (problems.length === 0 && sessions.length === 0) problems.push('2:1: there is no session');
  if (problems.length > 0) return { ok: false, problems: problems.slice(0, limits.problemsMax) };
  return { ok: true, recording: { span: head.span, left_out: head.left_out, sessions } };
}

function misplaced({ at, lasted }: RecordedSession, before: RecordedSession | undefined): string | null {
  if (before !== undefined && at < before.at) return 'at: sessions have to be in the order of their arrival';
  return at + lasted < 0 ? 'at: it was over before the recording began' : null;
}

/** The object of a line, or what is wrong with it, each with its column. */
function problemsOf(line: string, fields: Readonly<Record<string, Check>>): unknown {
  let read: unknown;
  try {
    read = JSON.parse(line);
  } catch (error) {
    return [`${1 + Number(/position (\d+)/.exec((error as Error).message)?.[1] ?? 0)}: this is not JSON`];
  }
  if (Object(read) !== read || Array.isArray(read)) return ['1: give an object'];
  const object = read as Record<string, unknown>;
  const unknown = Object.keys(object).filter((key) => !(key in fields));
  const problems = [
    ...unknown.map((key) => `${columnOf(line, key)}: unknown key ${JSON.stringify(key.slice(0, 40))}`),
    ...Object.entries(fields).flatMap(([key, check]) => {
      if (!Object.hasOwn(object, key)) return [`1: lacks ${key}`];
      const wrong = check(object[key]);
      return wrong === null ? [] : [`${columnOf(line, key)}: ${key}: ${wrong}`];
    }),
  ];
  return problems.length === 0 ? object : problems;
}

const columnOf = (line: string, key: string): number => line.indexOf(JSON.stringify(key)) + 1;
