/** Makes a recording of the lines of an access log. What is taken of a line are numbers, and words that anyport itself has. Pure. */
import { protocolIn, type RecordedSession, type Recording, recordingLimits } from './recording.js';

/** What is read of a line of the log (docs/operations.md). */
interface LogLine {
  readonly time: string;
  readonly msg: string;
  readonly listener: string;
  readonly protocol: string | null;
  readonly transport?: string;
  readonly upstream: string | null;
  readonly opening_bytes: number;
  readonly bytes_up: number;
  readonly bytes_down: number;
  readonly duration_ms: number;
  readonly by: string;
  readonly during: string;
}

export interface Recorder {
  /** False: no more lines are wanted. */
  take(line: string): boolean;
  /** Null: there was no session. */
  recording(): Recording | null;
}

/** Lines of several workers, or of a clock that is corrected, are somewhat out of order; those that are more are of another log. */
const EARLIER_MS_MAX = 10_000;

/** `spanMs`: recorded of the log from its first line on; beyond it no line is wanted. */
export function createRecorder(spanMs: number): Recorder {
  const listeners = new Numbers(recordingLimits.listenersMax);
  const upstreams = new Numbers(recordingLimits.upstreamsMax);
  const ended: (RecordedSession & { readonly at: number })[] = [];
  const leftOut: Record<string, number> = {};
  let [first, last] = [Number.NaN, Number.NaN];

  const leaveOut = (why: string): true => {
    leftOut[why] = (leftOut[why] ?? 0) + 1;
    return true;
  };

  return {
    take(text) {
      const line = parsed(text);
      const time = timeOf(line);
      if (line === null || Number.isNaN(time)) return true;
      if (Number.isNaN(first)) [first, last] = [time, time];
      if (time - first > Math.min(spanMs, recordingLimits.spanMsMax)) return false;
      if (first - time > EARLIER_MS_MAX) return leaveOut('before the first line');
      last = Math.max(last, time);
      if (line.msg !== 'session') return true;
      if (line.transport === 'udp') return leaveOut('udp');
      if (line.during !== 'relay') return leaveOut('not relayed');
      const session = sessionOf(line, Math.max(0, time - first), listeners, upstreams);
      if (session === null) return leaveOut('unreadable');
      ended.push(session);
      return ended.length < recordingLimits.sessionsMax;
    },
    recording() {
      if (ended.length === 0) return null;
      const sessions = ended.toSorted((one, other) => one.at - other.at);
      return { span: last - first, left_out: leftOut, sessions };
    },
  };
}

function parsed(text: string): LogLine | null {
  try {
    const line: unknown = JSON.parse(text);
    return Object(line) === line ? (line as LogLine) : null;
  } catch {
    return null; // such as what another program says on the same output
  }
}

/** NaN: it has none. Whatever is in a log may be no text. */
const timeOf = (line: LogLine | null): number =>
  typeof line?.time === 'string' ? Date.parse(line.time) : Number.NaN;

const inMicroseconds = (ms: number): number => Math.round(ms * 1000) / 1000;

function sessionOf(
  line: LogLine,
  endedAt: number,
  listeners: Numbers,
  upstreams: Numbers,
): RecordedSession | null {
  const { protocol, opening_bytes: opening = 0, bytes_up: up, bytes_down: down, duration_ms, by } = line;
  if (protocol !== null && typeof protocol !== 'string') return null;
  const sizes = [opening, up, down];
  if (!sizes.every((each) => Number.isInteger(each) && each >= 0 && each <= recordingLimits.bytesMax))
    return null;
  if (!(typeof duration_ms === 'number' && duration_ms >= 0 && duration_ms <= recordingLimits.lastedMsMax))
    return null;
  const lasted = inMicroseconds(duration_ms);
  return {
    // The end has milliseconds, the length has microseconds.
    at: inMicroseconds(endedAt - lasted),
    protocol: protocol === null ? null : protocolIn(protocol),
    listener: listeners.of(line.listener),
    upstream: upstreams.of(line.upstream),
    opening: Math.min(opening, up, recordingLimits.openingBytesMax),
    up,
    down,
    lasted,
    by: by === 'client' || by === 'upstream' ? by : 'other',
  };
}

/** Numbers instead of names, in the order in which these come. */
class Numbers {
  readonly #known = new Map<unknown, number>();
  readonly #max: number;

  constructor(max: number) {
    this.#max = max;
  }

  of(name: unknown): number {
    const known = this.#known.get(name);
    if (known !== undefined) return known;
    const next = Math.min(this.#known.size, this.#max - 1);
    if (this.#known.size < this.#max) this.#known.set(name, next);
    return next;
  }
}
