/**
 * A dialogue in rounds: what is sent, and what must come, as text, as hex or as a pattern in linear time. Over UDP a
 * round sends one datagram, and the next that comes is its answer, which is judged as a whole.
 */
import type { z } from 'zod';
import { compileClassifier } from '../../protocols/compile.js';
import { checkSignature } from '../../protocols/dfa/signature.js';
import { createMatcher } from '../../protocols/matcher.js';
import type { CheckProblem, HealthCheck, Zod } from '../check.js';
import { textField } from '../fields.js';
import { type Line, lineLimits, type Until } from '../line.js';
import { unwell, well } from '../outcomes.js';
import { secure, type TlsOptions, tlsFields } from '../secured.js';
import { overTransport, type TransportOptions, transportField } from '../transport.js';

export interface Round {
  readonly send?: string | undefined;
  readonly send_hex?: string | undefined;
  readonly expect?: string | undefined;
  readonly expect_hex?: string | undefined;
  readonly expect_regex?: string | undefined;
}

export interface SendExpectOptions extends TlsOptions, TransportOptions {
  readonly rounds: readonly Round[];
}

const ROUNDS_MAX = 16;
const TEXT_CHARS_MAX = 2048;
const HEX = /^(?:[0-9a-f]{2}[ :]?)+$/i;

export const sendExpect: HealthCheck<SendExpectOptions> = {
  words: 'answers in rounds as is written down',
  over: overTransport,
  options: (zod) => ({ ...transportField(zod, 'tcp'), rounds: roundsField(zod), ...tlsFields(zod) }),
  problem: (options) => (options.transport === 'udp' ? problemOfDatagrams(options) : null),
  async run(line, options, context) {
    const refused = await secure(line, options, context);
    if (refused !== null) return refused;
    for (const [index, round] of options.rounds.entries()) {
      const sent = bytesOf(round.send, round.send_hex);
      if (sent !== null) line.write(sent);
      if (!(await answers(line, round))) return unwell(`does not answer round ${index + 1} as expected`);
    }
    return well;
  },
};

// ---- keys

const text = `text of 1 to ${TEXT_CHARS_MAX} characters`;
const isShort = (written: string): boolean => written.length > 0 && written.length <= TEXT_CHARS_MAX;
/** Bytes have a key of their own. */
const textOr = (inHex: string): string => `${text}; bytes in hex are written as \`${inHex}: "0d0a"\``;
const hex = `bytes in hex such as \`0d0a\`, up to ${TEXT_CHARS_MAX} digits`;
const isHex = (written: string): boolean => written.length <= TEXT_CHARS_MAX && HEX.test(written);

function roundsField(zod: Zod) {
  const round = zod
    .strictObject(
      {
        send: textField(zod, 'Text to send', textOr('send_hex'), isShort).optional(),
        send_hex: textField(zod, 'Bytes to send', hex, isHex).optional(),
        expect: textField(zod, 'Text that the answer must contain', textOr('expect_hex'), isShort).optional(),
        expect_hex: textField(zod, 'Bytes that the answer must contain', hex, isHex).optional(),
        expect_regex: patternField(zod),
      },
      { error: wrongRound },
    )
    .refine(({ send, send_hex }) => send === undefined || send_hex === undefined, {
      error: 'either `send` or `send_hex`, not both',
    })
    .refine((each) => expectations(each) <= 1, {
      error: 'one of `expect`, `expect_hex` and `expect_regex`, not several',
    })
    .refine((each) => Object.keys(each).length > 0, { error: wrongRound });
  const expected = `a list of 1 to ${ROUNDS_MAX} rounds such as \`{ send: "PING\\r\\n", expect: "+PONG" }\``;
  return zod
    .array(round, { error: () => `expected ${expected}` })
    .min(1, { error: () => `expected ${expected}` })
    .max(ROUNDS_MAX, { error: () => `expected ${expected}` })
    .meta({
      description: 'What is sent and what must come, one round after the other',
      'x-values': `list of 1 to ${ROUNDS_MAX} rounds`,
    });
}

const expectations = ({ expect, expect_hex, expect_regex }: Round): number =>
  [expect, expect_hex, expect_regex].filter((each) => each !== undefined).length;

const KEYS = '`send`, `send_hex`, `expect`, `expect_hex`, `expect_regex`';

const wrongRound = (issue: { code?: string; keys?: readonly string[] }): string =>
  issue.code === 'unrecognized_keys'
    ? (issue.keys ?? []).map((key) => `unknown key \`${key.slice(0, 60)}\`: a round has ${KEYS}`).join('\n')
    : `expected a round such as \`{ send: "PING\\r\\n", expect: "+PONG" }\``;

/** The syntax of `protocols[].regex`, for it is the same engine. */
function patternField(zod: Zod): z.ZodOptional<z.ZodType<string, string>> {
  return zod
    .string({ error: 'expected a pattern such as `^220 `' })
    .superRefine((pattern, context) => {
      for (const problem of checkSignature(signatureOf(pattern)))
        context.issues.push({ code: 'custom', input: pattern, message: problem });
    })
    .meta({
      description: "Pattern that the answer must match from its first byte, as a protocol's `regex`",
      'x-values': 'regular expression, `^` first',
    })
    .optional();
}

const signatureOf = (pattern: string) => ({ patterns: [pattern], maxBytes: lineLimits.answerBytesMax });

/** Nothing is connected over UDP: only an answer shows that somebody is there, and none comes before a question. */
function problemOfDatagrams({ tls, rounds }: SendExpectOptions): CheckProblem | null {
  if (tls) return { path: ['tls'], why: 'needs `transport: tcp`: there is no TLS over UDP' };
  const asks = ({ send, send_hex }: Round) => send !== undefined || send_hex !== undefined;
  const first = rounds.findIndex((round) => expectations(round) > 0);
  if (first < 0)
    return {
      path: ['rounds'],
      why: 'expects nothing: over UDP only an answer shows that an endpoint is there; add an `expect` to a round',
    };
  if (!rounds.slice(0, first + 1).some(asks))
    return {
      path: ['rounds', first],
      why: 'expects an answer before anything is sent: over UDP an endpoint must be asked; add a `send`',
    };
  return null;
}

// ---- rounds

const bytesOf = (plain: string | undefined, inHex: string | undefined): Buffer | null => {
  if (plain !== undefined) return Buffer.from(plain);
  return inHex === undefined ? null : Buffer.from(inHex.replace(/[ :]/g, ''), 'hex');
};

/** Takes the answer through what was expected; the rest is for the next round. False: it can not come any more. */
async function answers(line: Line, round: Round): Promise<boolean> {
  const wanted = bytesOf(round.expect, round.expect_hex);
  if (wanted !== null) return awaited(line, containing(wanted));
  return round.expect_regex === undefined ? true : awaited(line, matching(round.expect_regex));
}

/** An answer that has ended, or is too long, does not contain what was expected. */
const MISSING = -1;

async function awaited(line: Line, find: Until): Promise<boolean> {
  let isMissing = false;
  await line.read((bytes, isLast) => {
    const found = find(bytes, isLast);
    isMissing = found === MISSING || (found === null && isLast && bytes.length > 0);
    return isMissing ? bytes.length : found;
  });
  return !isMissing;
}

const containing =
  (wanted: Buffer): Until =>
  (bytes) => {
    const at = bytes.indexOf(wanted);
    return at < 0 ? null : at + wanted.length;
  };

function matching(pattern: string): Until {
  const matcher = createMatcher(
    compileClassifier([{ id: 'expect_regex', signature: signatureOf(pattern) }], 1),
  );
  let seen = 0;
  return (bytes) => {
    const decision = matcher.advance(bytes.subarray(seen));
    seen = bytes.length;
    if (decision.verdict === 'match') return decision.decidedAt;
    return decision.verdict === 'more' ? null : MISSING;
  };
}
