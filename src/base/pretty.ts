/**
 * Log lines for terminals: a session or the listeners in one line each. The only importer of pino-pretty; loaded only
 * for pretty output.
 */
import { prettyFactory } from 'pino-pretty';
import { bytesText, timeText } from './figures.js';
import { visible, visibleBeyondC0 } from './text.js';

/** JSON lines → terminal lines, one each; only a stack takes more. */
export function prettyLines(colorize: boolean): (lines: string) => string {
  const pretty = prettyFactory({
    colorize,
    translateTime: 'SYS:HH:MM:ss.l',
    messageKey: 'msg',
    singleLine: true,
    errorLikeObjectKeys: [], // nor `error`, the default: fields stay on the line
  });
  const show = (line: string): string => {
    const object = JSON.parse(line) as LogObject;
    const { text, rest } = tell(object);
    const { stack, ...fields } = withoutError(rest);
    const shown = pretty({ ...fields, level: object.level, time: object.time, msg: text });
    return visibleBeyondC0(shown) + (typeof stack === 'string' ? indented(stack) : '');
  };
  return (lines) => lines.split('\n').filter(Boolean).map(show).join('');
}

/** pino-pretty prints an error object as it is: its message becomes a field, its stack is escaped below. */
function withoutError({ err, ...fields }: Fields): Fields {
  if (typeof err !== 'object' || err === null) return fields;
  const { type, message, stack } = err as Fields;
  return { error: `${type}: ${message}`, ...fields, stack };
}

/** Escaped, because an error's message may quote bytes of a client. */
const indented = (stack: string): string =>
  stack
    .split('\n')
    .map((line) => `    ${visible(line.trimStart())}\n`)
    .join('');

export interface LogObject {
  readonly level: string;
  readonly time: string;
  readonly msg: string;
  readonly [field: string]: unknown;
}

/** The formatted message; `rest`: fields not contained in it. */
export interface Told {
  readonly text: string;
  readonly rest: Readonly<Record<string, unknown>>;
}

export function tell(line: LogObject): Told {
  const { level: _level, time: _time, msg, ...fields } = line;
  if (msg === 'session') return { text: sessionText(fields), rest: {} };
  if (msg === 'ready') return readyText(fields);
  return { text: visible(msg), rest: fields };
}

type Fields = Readonly<Record<string, unknown>>;

/** `127.0.0.1:50123 → front: http localhost → web 10.0.0.1:80, 78 B up, 812 B down, 3 ms, done (client, relay)` */
function sessionText(fields: Fields): string {
  const facts = (fields.facts ?? {}) as Fields;
  const words = (...values: unknown[]) =>
    values.filter((value) => value !== null && value !== undefined).join(' ');
  const over = fields.transport === undefined ? undefined : `over ${fields.transport}`;
  const what = words(fields.protocol ?? 'unknown', over, facts.sni ?? facts.host);
  const where = fields.upstream === null ? '' : ` → ${words(fields.upstream, fields.endpoint)}`;
  const because = fields.error === undefined ? '' : `: ${fields.error}`;
  const parts = [
    `${fields.source} → ${fields.listener}: ${what}${where}`,
    `${bytesText(Number(fields.bytes_up))} up`,
    `${bytesText(Number(fields.bytes_down))} down`,
    timeText(Number(fields.duration_ms)),
    `${fields.reason} (${fields.by}, ${fields.during}${because})`,
    ...extra('by', fields.route),
    ...extra('began', fields.opening),
    ...extra('session', fields.session),
    ...(fields.suppressed === undefined ? [] : [`and ${fields.suppressed} more before it`]),
    ...(fields.suppressed_others === undefined ? [] : [`and ${fields.suppressed_others} of others`]),
  ];
  return visible(parts.join(', '));
}

const extra = (word: string, value: unknown): string[] => (value === undefined ? [] : [`${word} ${value}`]);

interface ReadyListener {
  readonly name: string;
  readonly address: string;
  readonly transport: string;
}

/** Addresses come first. */
function readyText({ listeners, admin, try: examples, ...rest }: Fields): Told {
  const places = (listeners as readonly ReadyListener[]).map(({ name, address, transport }) => {
    const marks = [...(name === address ? [] : [name]), ...(transport === 'tcp' ? [] : [transport])];
    return marks.length === 0 ? address : `${address} (${marks.join(', ')})`;
  });
  const hint = Array.isArray(examples) ? `: try ${examples.join(' or ')}` : '';
  const control = admin === undefined ? '' : `, control interface on ${admin}`;
  return { text: visible(`ready on ${places.join(', ')}${control}${hint}`), rest };
}
