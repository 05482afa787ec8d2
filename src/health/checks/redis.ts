/** PING, behind AUTH where there is a password; on demand the role, too. */
import type { HealthCheck, Outcome, Zod } from '../check.js';
import { choiceField, textField } from '../fields.js';
import { judged } from '../judged.js';
import type { Line } from '../line.js';
import { meaningOf, speaksNo, unwell, well } from '../outcomes.js';
import { secure, type TlsOptions, tlsFields } from '../secured.js';

export interface RedisOptions extends TlsOptions {
  readonly user?: string | undefined;
  readonly password?: string | undefined;
  readonly role: 'any' | 'master' | 'replica';
}

const roles = ['any', 'master', 'replica'] as const;

export const redis: HealthCheck<RedisOptions> = {
  words: 'answers PING with PONG',
  over: 'tcp',
  options: (zod: Zod) => ({
    user: textField(zod, 'User of `password`, where the server has users', 'name').optional(),
    password: textField(zod, 'Password, if the server asks for one', 'text').optional(),
    role: choiceField(zod, roles, 'Role that the server must have').default('any'),
    ...tlsFields(zod),
  }),
  async run(line, options, context) {
    const refused = await secure(line, options, context);
    if (refused !== null) return refused;
    for (const { words, reply } of commandsOf(options)) {
      const outcome = await ask(line, words, reply);
      if (outcome !== null) return outcome;
    }
    return options.role === 'any' ? well : askRole(line, options.role);
  },
};

interface Command {
  readonly words: readonly string[];
  readonly reply: string;
}

function commandsOf({ user, password }: RedisOptions): Command[] {
  const ping = { words: ['PING'], reply: 'PONG' };
  if (password === undefined) return [ping];
  return [{ words: ['AUTH', ...(user === undefined ? [] : [user]), password], reply: 'OK' }, ping];
}

/** An array of bulk strings. */
export const encodeCommand = (words: readonly string[]): string =>
  [`*${words.length}`, ...words.flatMap((word) => [`$${Buffer.byteLength(word)}`, word]), ''].join('\r\n');

/** Null: the reply is the expected one. */
async function ask(line: Line, words: readonly string[], expected: string): Promise<Outcome | null> {
  line.write(encodeCommand(words));
  const reply = await judged(line, readReply);
  if (reply.kind === 'error') return unwell(meaningOf(errors, reply.text, 'answered with an error'));
  return reply.kind === 'simple' && reply.text === expected ? null : speaksNo('the Redis protocol');
}

async function askRole(line: Line, wanted: string): Promise<Outcome> {
  line.write(encodeCommand(['ROLE']));
  const reply = await judged(line, readReply);
  if (reply.kind === 'error') return unwell(meaningOf(errors, reply.text, 'does not tell its role'));
  const role = reply.kind === 'array' ? names[reply.text] : undefined;
  if (role === undefined) return speaksNo('the Redis protocol');
  return role === wanted ? well : unwell(`is a ${role}`);
}

/** First element of what ROLE answers → our name. */
const names: Readonly<Record<string, string>> = {
  master: 'master',
  slave: 'replica',
  sentinel: 'sentinel',
};

/** First word of an error → what it means. */
const errors: Readonly<Record<string, string>> = {
  LOADING: 'is loading its data',
  MASTERDOWN: 'has lost its master',
  READONLY: 'is a read-only replica',
  MISCONF: 'can not write its data to disk',
  BUSY: 'is busy with a script',
  NOAUTH: 'asks for a password: give its check one',
  WRONGPASS: 'refuses the password of its check',
  NOPERM: 'does not let the user of its check do that',
  DENIED: 'is in protected mode and refuses this host',
  CLUSTERDOWN: 'is in a cluster that is down',
};

export interface RedisReply {
  /** `array`: one that begins with a bulk string, which is `text`. `error`: `text` is its first word. */
  readonly kind: 'simple' | 'error' | 'array' | 'other';
  readonly text: string;
}

const other: RedisReply = { kind: 'other', text: '' };
const KINDS = /^[+*-]/;
const WHOLE = /^(?:\+([^\r\n]*)|-([A-Z]*)[^\r\n]*|\*\d{1,4}\r\n\$\d{1,4}\r\n([a-z]*))\r\n/;
/** Lines of the three kinds. */
const LINES = { '+': 1, '-': 1, '*': 3 } as const;

/** Of an array only the first element is read. */
export function readReply(bytes: Buffer): RedisReply | null {
  const text = bytes.toString('latin1');
  if (text === '') return null;
  if (!KINDS.test(text)) return other;
  const [, simple, error, element] = WHOLE.exec(text) ?? [];
  if (simple !== undefined) return { kind: 'simple', text: simple };
  if (error !== undefined) return { kind: 'error', text: error };
  if (element !== undefined) return { kind: 'array', text: element };
  return text.split('\n').length > LINES[text[0] as keyof typeof LINES] ? other : null;
}
