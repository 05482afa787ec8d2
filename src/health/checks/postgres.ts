/** PostgreSQL's answer to an SSLRequest, or to a user's StartupMessage, which also tells whether it takes sessions. */
import { Cursor } from '../../protocols/cursor.js';
import type { HealthCheck, Outcome } from '../check.js';
import { textField } from '../fields.js';
import { judged } from '../judged.js';
import { meaningOf, speaksNo, unwell, well } from '../outcomes.js';

export interface PostgresOptions {
  readonly user?: string | undefined;
  readonly database?: string | undefined;
}

const NAME = /^[\x21-\x7e]{1,63}$/;
const name = 'name of up to 63 characters';
const isName = (text: string): boolean => NAME.test(text);

export const postgres: HealthCheck<PostgresOptions> = {
  words: 'answers as PostgreSQL does, and lets `user` begin a login',
  over: 'tcp',
  options: (zod) => ({
    user: textField(
      zod,
      'User for whom a login is begun; without one only the offer of TLS is awaited, which a server makes while it starts, too',
      name,
      isName,
    ).optional(),
    database: textField(
      zod,
      "Database of `user`; without it the one of the user's name",
      name,
      isName,
    ).optional(),
  }),
  async run(line, { user, database }) {
    line.write(user === undefined ? sslRequest : encodeStartup(user, database));
    const outcome = await judged(line, user === undefined ? judgeOffer : judgeStartup);
    // A backend that has let the user in would log a lost connection.
    if (outcome === admitted) line.write(terminate);
    return outcome;
  },
};

/** Length 8, request code 80877103. */
const sslRequest = Buffer.from('0000000804d2162f', 'hex');
const terminate = Buffer.from('5800000004', 'hex');
const PROTOCOL_3 = 196_608;

export function encodeStartup(user: string, database = user): Buffer {
  const words = ['user', user, 'database', database, 'application_name', 'anyport-check', '', ''];
  const parameters = Buffer.from(words.join('\0'));
  const head = Buffer.alloc(8);
  head.writeUInt32BE(head.length + parameters.length, 0);
  head.writeUInt32BE(PROTOCOL_3, 4);
  return Buffer.concat([head, parameters]);
}

const ERROR = 'E'.charCodeAt(0);
const AUTHENTICATION = 'R'.charCodeAt(0);
const OFFERS = ['S', 'N'].map((letter) => letter.charCodeAt(0));

const admitted: Outcome = { well: true };

export function judgeOffer(bytes: Buffer): Outcome | null {
  const [first] = bytes;
  if (first === undefined) return null;
  // Nothing follows it: SSH begins with an S, too.
  if (OFFERS.includes(first) && bytes.length === 1) return well;
  return first === ERROR ? judgeStartup(bytes) : speaksNo("PostgreSQL's protocol");
}

/** An error longer than this is none of PostgreSQL's at a login. */
const MESSAGE_BYTES_MAX = 4000;

export function judgeStartup(bytes: Buffer): Outcome | null {
  const cursor = new Cursor(bytes);
  const type = cursor.u8();
  if (cursor.overrun) return null;
  if (type !== ERROR && type !== AUTHENTICATION) return speaksNo("PostgreSQL's protocol");
  const length = cursor.u16() * 65_536 + cursor.u16();
  if (cursor.overrun) return null;
  if (length < 8 || length > MESSAGE_BYTES_MAX) return speaksNo("PostgreSQL's protocol");
  const payload = cursor.sub(length - 4);
  if (payload.left < length - 4) return null;
  if (type === ERROR) return judgeError(payload);
  return payload.u16() === 0 && payload.u16() === 0 ? admitted : well;
}

const FIELD = /^[A-Z]/i;
const SQLSTATE = /^C([0-9A-Z]{5})$/;

/** Fields of one letter and a text with NUL. */
function judgeError(payload: Cursor): Outcome {
  const fields = payload
    .latin1(payload.left)
    .split('\0')
    .filter((field) => FIELD.test(field));
  const code = fields.map((field) => SQLSTATE.exec(field)?.[1]).find((found) => found !== undefined);
  if (code === undefined) return unwell('answered with an error');
  return unwell(meaningOf(errors, code, `answered with error ${code}`));
}

const errors: Readonly<Record<string, string>> = {
  '53300': 'has too many connections',
  '53200': 'is out of memory',
  '53100': 'has a full disk',
  '57P01': 'is shutting down',
  '57P02': 'is recovering from a crash',
  '57P03': 'is starting up, shutting down or recovering',
  '57P05': 'ended an idle session',
  '28000': 'refuses the user of its check',
  '28P01': 'refuses the user of its check',
  '3D000': 'has no such database',
  '08P01': 'does not understand its check',
  '0A000': 'does not understand its check',
};
