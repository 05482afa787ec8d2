/** MySQL's or MariaDB's greeting; with a user also a login without password, which ends as the server expects. */
import type { HealthCheck, Outcome } from '../check.js';
import { textField } from '../fields.js';
import { judged } from '../judged.js';
import type { Line } from '../line.js';
import { encodeLogin, encodePacket, quit, readMysqlPacket } from '../mysql-packets.js';
import { meaningOf, speaksNo, unwell, well } from '../outcomes.js';

export interface MysqlOptions {
  readonly user?: string | undefined;
}

/** Packets of the server until the login is decided. */
const LOGIN_PACKETS_MAX = 8;

const protocol = "MySQL's protocol";

export const mysql: HealthCheck<MysqlOptions> = {
  words: 'greets as MySQL does, and lets `user` in',
  over: 'tcp',
  options: (zod) => ({
    user: textField(
      zod,
      'User without password and rights who logs in. Without one the greeting is enough, and a server that counts interrupted logins (`max_connect_errors`) may block this host',
      'name of up to 80 characters',
      (text) => /^[\x21-\x7e]{1,80}$/.test(text),
    ).optional(),
  }),
  async run(line, { user }) {
    const greeting = await judged(line, (bytes) => readMysqlPacket(bytes, 0));
    if (greeting.kind === 'error') return refused(greeting.code);
    if (greeting.kind !== 'greeting') return speaksNo(protocol);
    return user === undefined ? well : login(line, user);
  },
};

async function login(line: Line, user: string): Promise<Outcome> {
  line.write(encodeLogin(user));
  for (let sequence = 2; sequence < LOGIN_PACKETS_MAX; sequence++) {
    const asked = sequence;
    const packet = await judged(line, (bytes) => readMysqlPacket(bytes, asked));
    if (packet.kind === 'error') return refused(packet.code);
    if (packet.kind === 'ok') {
      line.write(quit);
      return well;
    }
    if (packet.kind === 'other' || packet.kind === 'greeting') break;
    // Another method: no password is an empty answer in all of them.
    if (packet.kind === 'switch') line.write(encodePacket(++sequence, Buffer.alloc(0)));
  }
  return speaksNo(protocol);
}

const refused = (code: number): Outcome => unwell(meaningOf(errors, code, `answered with error ${code}`));

const errors: Readonly<Record<number, string>> = {
  1040: 'has too many connections',
  1041: 'is out of memory',
  1042: 'does not know this host',
  1043: 'refuses the login: bad handshake',
  1044: 'refuses the user of its check',
  1045: 'refuses the user of its check',
  1053: 'is shutting down',
  1129: 'blocks this host after interrupted logins: give its check a `user`',
  1130: 'does not let this host in',
  1203: 'has too many connections of the user of its check',
  1226: 'has no room for the user of its check',
  1698: 'refuses the user of its check',
};
