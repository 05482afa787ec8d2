/** Through an HTTP proxy: CONNECT (RFC 9110 section 9.3.6), with Basic authentication (RFC 7617). */
import { visible } from '../base/text.js';
import type { AskVerdict } from '../model/facts.js';
import type { Hop } from '../model/via.js';
import { type Asking, more, placeText, refused, unreachable, yes } from './hop.js';

/** Heads of the answer, interim ones included. */
export const HEAD_BYTES_MAX = 4096;
/** Characters of a reason phrase that are told. */
const PHRASE_SHOWN_MAX = 80;

export const askByConnect: Asking = (hop, place) => {
  const target = placeText(place);
  const lines = [`CONNECT ${target} HTTP/1.1`, `Host: ${target}`, ...credentialsOf(hop), '', ''];
  return [
    {
      words: `CONNECT ${target}`,
      bytes: Buffer.from(lines.join('\r\n'), 'latin1'),
      expected: 'HTTP/1.1 200'.length,
      judge: judgeHeads,
    },
  ];
};

function credentialsOf({ user, password }: Hop): readonly string[] {
  if (user === null) return [];
  const pair = Buffer.from(`${user}:${password ?? ''}`, 'utf8').toString('base64');
  return [`Proxy-Authorization: Basic ${pair}`];
}

const START = 'HTTP/1.';
/** A status line; the phrase may be missing with its blank. */
const STATUS_LINE = /^HTTP\/1\.[01] ([1-5]\d\d)(?: (.*))?$/;

/** What follows the head of the final answer is the endpoint's: in an answer to CONNECT no field announces content. */
export function judgeHeads(answer: Uint8Array): AskVerdict {
  const text = Buffer.from(answer.buffer, answer.byteOffset, answer.length).toString(
    'latin1',
    0,
    HEAD_BYTES_MAX,
  );
  for (let from = 0; ; ) {
    const end = endOfHead(text, from);
    if (end < 0) return unfinished(text, from);
    const [, code = '', phrase = ''] = STATUS_LINE.exec(firstLine(text, from)) ?? [];
    if (code === '') return refused(NO_HTTP);
    // Interim answers; after 101 it would speak something else.
    if (code.startsWith('1') && code !== '101') from = end;
    else return code.startsWith('2') ? yes(end) : refusal(Number(code), phrase);
  }
}

const NO_HTTP = 'does not answer as an HTTP proxy';

function unfinished(text: string, from: number): AskVerdict {
  const begun = text.slice(from, from + START.length);
  if (!START.startsWith(begun)) return refused(NO_HTTP);
  if (text.length >= HEAD_BYTES_MAX) return refused(`answers with a head of over ${HEAD_BYTES_MAX} bytes`);
  return more(text.length + 1);
}

/** Statuses by which a proxy says that the place, not the request, is the reason. */
const OF_PLACE: ReadonlySet<number> = new Set([502, 503, 504]);

function refusal(code: number, phrase: string): AskVerdict {
  const why = `answers ${code} ${visible(phrase.trim()).slice(0, PHRASE_SHOWN_MAX)}`.trimEnd();
  return OF_PLACE.has(code) ? unreachable(why) : refused(why);
}

/** Behind the empty line; -1: it is still to come. A line may end without CR (RFC 9112 section 2.2). */
function endOfHead(text: string, from: number): number {
  for (let start = from; ; ) {
    const end = text.indexOf('\n', start);
    if (end < 0) return -1;
    const isEmpty = end === start || (end === start + 1 && text[start] === '\r');
    if (isEmpty && start > from) return end + 1;
    start = end + 1;
  }
}

const firstLine = (text: string, from: number): string =>
  text.slice(from, text.indexOf('\n', from)).replace(/\r$/, '');
