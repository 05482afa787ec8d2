/** LDAP: an anonymous bind, or a search of the root DSE (RFC 4511). */
import { Cursor } from '../../protocols/cursor.js';
import { readLength } from '../../protocols/ldap-facts.js';
import type { HealthCheck, Outcome } from '../check.js';
import { choiceField } from '../fields.js';
import { judged } from '../judged.js';
import { meaningOf, speaksNo, unwell, well } from '../outcomes.js';
import { secure, type TlsOptions, tlsFields } from '../secured.js';

const requests = ['bind', 'root_dse'] as const;

export interface LdapOptions extends TlsOptions {
  readonly request: (typeof requests)[number];
}

export const ldap: HealthCheck<LdapOptions> = {
  words: 'answers an anonymous bind, or a search of its root DSE',
  over: 'tcp',
  options: (zod) => ({
    request: choiceField(
      zod,
      requests,
      'What is asked: an anonymous bind, or a search of the root DSE',
    ).default('bind'),
    ...tlsFields(zod),
  }),
  async run(line, options, context) {
    const refused = await secure(line, options, context);
    if (refused !== null) return refused;
    const { bytes, answer } = exchanges[options.request];
    line.write(bytes);
    const outcome = await judged(line, (received) => judgeResult(received, answer));
    line.write(unbind);
    return outcome;
  },
};

const hex = (text: string): Buffer => Buffer.from(text.replace(/\s+/g, ''), 'hex');

/** Message 1 and the tag of its result. */
const exchanges = {
  // Version 3, no name, simple with no password.
  bind: { bytes: hex('30 0c 02 01 01 60 07 02 01 03 04 00 80 00'), answer: 0x61 },
  // Base "", base object, one entry, 5 s, (objectClass=*), no attributes ("1.1").
  root_dse: {
    bytes: hex(
      `30 2a 02 01 01 63 25 04 00 0a 01 00 0a 01 00 02 01 01 02 01 05 01 01 00
       87 0b 6f 62 6a 65 63 74 43 6c 61 73 73 30 05 04 03 31 2e 31`,
    ),
    answer: 0x65,
  },
} as const;
const unbind = hex('30 05 02 01 02 42 00');

const MESSAGE = 0x30;
const INTEGER = 0x02;
const ENUMERATED = 0x0a;
/** Of a message 0: the server ends the session (section 4.4.1). */
const EXTENDED = 0x78;
/** Entries and references come before the result. */
const BEFORE = [0x64, 0x73];
const MESSAGES_MAX = 16;

export function judgeResult(bytes: Buffer, answer: number): Outcome | null {
  const cursor = new Cursor(bytes);
  for (let messages = 0; messages < MESSAGES_MAX; messages++) {
    if (cursor.left === 0) return null;
    if (cursor.u8() !== MESSAGE) break;
    const length = readLength(cursor);
    if (cursor.overrun || cursor.left < length) return null;
    const outcome = judgeMessage(cursor.sub(length), answer);
    if (outcome !== null) return outcome;
  }
  return speaksNo('LDAP');
}

/** Null: the result is still to come. */
function judgeMessage(message: Cursor, answer: number): Outcome | null {
  if (message.u8() !== INTEGER) return speaksNo('LDAP');
  message.skip(message.u8());
  const tag = message.u8();
  readLength(message);
  if (BEFORE.includes(tag)) return message.overrun ? speaksNo('LDAP') : null;
  if (message.u8() !== ENUMERATED || message.u8() !== 1) return speaksNo('LDAP');
  const code = message.u8();
  if (message.overrun) return speaksNo('LDAP');
  if (tag === EXTENDED) return unwell(meaningOf(codes, code, `ends the session (code ${code})`));
  if (tag !== answer) return speaksNo('LDAP');
  return code === 0 ? well : unwell(meaningOf(codes, code, `answered with code ${code}`));
}

const codes: Readonly<Record<number, string>> = {
  1: 'has an error of its own',
  8: 'asks for stronger authentication',
  13: 'asks for TLS',
  48: 'refuses an anonymous bind',
  49: 'refuses an anonymous bind',
  50: 'refuses an anonymous bind',
  51: 'is busy',
  52: 'is unavailable',
  53: 'is unwilling',
};
