/** MQTT 3.1.1: CONNECT, CONNACK, DISCONNECT. */
import type { HealthCheck, Outcome } from '../check.js';
import { textField } from '../fields.js';
import { judged } from '../judged.js';
import { meaningOf, speaksNo, unwell, well } from '../outcomes.js';
import { secure, type TlsOptions, tlsFields } from '../secured.js';

export interface MqttOptions extends TlsOptions {
  readonly client_id: string;
  readonly user?: string | undefined;
  readonly password?: string | undefined;
}

const TEXT_BYTES_MAX = 1024;
const isShort = (text: string): boolean => Buffer.byteLength(text) <= TEXT_BYTES_MAX;
const text = `text of up to ${TEXT_BYTES_MAX} bytes`;

export const mqtt: HealthCheck<MqttOptions> = {
  words: 'accepts a CONNECT',
  over: 'tcp',
  options: (zod) => ({
    // Two clients of one id would throw each other out.
    client_id: textField(zod, 'Client id; empty: the broker gives one', text, isShort).default(''),
    user: textField(zod, 'User, if the broker asks for one', text, isShort).optional(),
    password: textField(zod, 'Password of `user`', text, isShort).optional(),
    ...tlsFields(zod),
  }),
  async run(line, options, context) {
    const refused = await secure(line, options, context);
    if (refused !== null) return refused;
    line.write(encodeConnect(options));
    const outcome = await judged(line, judgeConnack);
    if (outcome.well) line.write(disconnect);
    return outcome;
  },
};

const disconnect = Buffer.from('e000', 'hex');

const CLEAN_SESSION = 0x02;
const WITH_PASSWORD = 0x40;
const WITH_USER = 0x80;
const KEEP_ALIVE_S = 60;
const LEVEL = 4;

type Login = Pick<MqttOptions, 'client_id' | 'user' | 'password'>;

export function encodeConnect({ client_id, user, password }: Login): Buffer {
  // A password without a user is not of 3.1.1.
  const name = user ?? (password === undefined ? undefined : '');
  const flags =
    CLEAN_SESSION | (name === undefined ? 0 : WITH_USER) | (password === undefined ? 0 : WITH_PASSWORD);
  const fields = [client_id, name, password].filter((field) => field !== undefined).map(prefixed);
  const body = Buffer.concat([prefixed('MQTT'), Buffer.of(LEVEL, flags, 0, KEEP_ALIVE_S), ...fields]);
  return Buffer.concat([Buffer.of(0x10), encodeVarint(body.length), body]);
}

function prefixed(field: string): Buffer {
  const bytes = Buffer.from(field);
  return Buffer.concat([Buffer.of(bytes.length >> 8, bytes.length & 0xff), bytes]);
}

function encodeVarint(value: number): Buffer {
  const bytes: number[] = [];
  for (let left = value; bytes.length === 0 || left > 0; left >>= 7)
    bytes.push((left & 0x7f) | (left > 0x7f ? 0x80 : 0));
  return Buffer.from(bytes);
}

const CONNACK = 0x20;

/** CONNACK: its length, flags, and the code. */
export function judgeConnack(bytes: Buffer): Outcome | null {
  const [type, length, flags, code] = bytes;
  if (type === undefined) return null;
  if (type !== CONNACK) return speaksNo('MQTT');
  if (length === undefined) return null;
  // Longer in MQTT 5, which a broker of that version alone may answer.
  if (length < 2 || length > 0x7f) return speaksNo('MQTT');
  if (flags === undefined) return null;
  if (flags > 1) return speaksNo('MQTT');
  if (code === undefined) return null;
  return code === 0 ? well : unwell(meaningOf(codes, code, `refuses the connection with code ${code}`));
}

const codes: Readonly<Record<number, string>> = {
  1: 'does not speak MQTT 3.1.1',
  2: 'refuses the client id of its check',
  3: 'is unavailable',
  4: 'refuses the user or the password of its check',
  5: 'does not let its check in: give it `user` and `password`',
  132: 'does not speak MQTT 3.1.1',
  133: 'refuses the client id of its check',
  134: 'refuses the user or the password of its check',
  135: 'does not let its check in: give it `user` and `password`',
  136: 'is unavailable',
  137: 'is busy',
};
