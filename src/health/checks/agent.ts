/**
 * HAProxy's agent check: a line of words that an agent beside the server says about it. An agent has a port of its
 * own, which is `port` of the check.
 */

import type { HealthCheck, Outcome } from '../check.js';
import { textField } from '../fields.js';
import { judged } from '../judged.js';
import { lineLimits } from '../line.js';
import { unwell } from '../outcomes.js';
import { WHOLE_SHARE } from '../table.js';

export interface AgentOptions {
  readonly send?: string | undefined;
}

const SENT_CHARS_MAX = 1024;

export const agent: HealthCheck<AgentOptions> = {
  words:
    "has an agent that does not say it is down, and may say how much of its weight counts (HAProxy's words)",
  over: 'tcp',
  options: (zod) => ({
    send: textField(
      zod,
      'Text that the agent is sent first',
      `text of up to ${SENT_CHARS_MAX} characters`,
      (text) => text.length <= SENT_CHARS_MAX,
    ).optional(),
  }),
  run(line, { send }) {
    if (send !== undefined) line.write(send);
    return judged(line, judgeAgent);
  },
};

type State = 'ready' | 'drain' | 'maint';

interface Said {
  readonly health?: 'up' | 'down';
  readonly state?: State;
  readonly share?: number;
  /** Known, without effect here. */
  readonly ignored?: true;
}

const words: Readonly<Record<string, Said>> = {
  up: { health: 'up' },
  down: { health: 'down' },
  fail: { health: 'down' },
  failed: { health: 'down' },
  stopped: { health: 'down' },
  ready: { state: 'ready' },
  drain: { state: 'drain' },
  maint: { state: 'maint' },
};

const PERCENT = /^(\d{1,6})%$/;
const LIMIT = /^maxconn:\d{1,9}$/;

function saidBy(word: string): Said {
  const known = Object.hasOwn(words, word) ? words[word] : undefined;
  if (known !== undefined) return known;
  if (LIMIT.test(word)) return { ignored: true };
  const percent = PERCENT.exec(word)?.[1];
  if (percent === undefined) return {};
  // More than the whole weight can not be given.
  return { share: Math.round((Math.min(Number(percent), 100) * WHOLE_SHARE) / 100) };
}

/** A line, or what came before the agent closed; the last word of a kind counts, unknown ones do not. */
export function judgeAgent(bytes: Buffer, isLast: boolean): Outcome | null {
  const text = bytes.toString('latin1');
  const end = text.search(/[\r\n]/);
  if (end < 0 && (!isLast || text === '' || bytes.length >= lineLimits.answerBytesMax)) return null;
  const [said = '', ...reasons] = (end < 0 ? text : text.slice(0, end)).split('#');
  const known = said
    .toLowerCase()
    .split(/[ \t,]+/)
    .map(saidBy)
    .filter((each) => Object.keys(each).length > 0);
  if (known.length === 0) return unwell('has an agent that says nothing that is known');
  const { health, state, share }: Said = Object.assign({}, ...known);
  const because = reasonOf(reasons.join(' '));
  if (health === 'down') return unwell(`is down, says its agent${because === '' ? '' : `: ${because}`}`);
  return {
    well: true,
    ...(share !== undefined && { share }),
    ...(state !== undefined && { state }),
    ...(because !== '' && { note: because }),
  };
}

const REASON_CHARS_MAX = 80;

/** Plain words only: it goes to logs and terminals. */
const reasonOf = (text: string): string =>
  text
    .replace(/[^A-Za-z0-9 .,:;%()/_-]+/g, ' ')
    .replace(/ +/g, ' ')
    .trim()
    .slice(0, REASON_CHARS_MAX);
