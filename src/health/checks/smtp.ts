/** SMTP: greeting, EHLO, QUIT. */
import type { HealthCheck, Outcome } from '../check.js';
import { textField } from '../fields.js';
import { judged } from '../judged.js';
import type { Line } from '../line.js';
import { meaningOf, speaksNo, unwell, well } from '../outcomes.js';
import { secure, type TlsOptions, tlsFields } from '../secured.js';

export interface SmtpOptions extends TlsOptions {
  readonly hello: string;
}

const NAME = /^(?:[A-Za-z0-9][A-Za-z0-9.-]{0,252}|\[[0-9A-Za-z:.]{2,60}\])$/;

export const smtp: HealthCheck<SmtpOptions> = {
  words: 'greets with 220 and answers EHLO with 250',
  over: 'tcp',
  options: (zod) => ({
    hello: textField(zod, 'Name that the check gives in EHLO', 'a host name', (text) =>
      NAME.test(text),
    ).default('localhost'),
    ...tlsFields(zod),
  }),
  async run(line, options, context) {
    const refused = await secure(line, options, context);
    if (refused !== null) return refused;
    const unwilling = (await expectCode(line, 220)) ?? (await ask(line, `EHLO ${options.hello}\r\n`, 250));
    if (unwilling !== null) return unwilling;
    // Whatever it says: it has shown that it is well, and is not left in the middle of a session.
    line.write('QUIT\r\n');
    await judged(line, readCode);
    return well;
  },
};

function ask(line: Line, command: string, wanted: number): Promise<Outcome | null> {
  line.write(command);
  return expectCode(line, wanted);
}

/** Null: the reply has the code. */
async function expectCode(line: Line, wanted: number): Promise<Outcome | null> {
  const code = await judged(line, readCode);
  if (code === wanted) return null;
  if (code === NO_CODE) return speaksNo('SMTP');
  return unwell(meaningOf(codes, code, `answered with ${code}, not ${wanted}`));
}

const codes: Readonly<Record<number, string>> = {
  421: 'takes no mail for now (421)',
  521: 'takes no mail (521)',
  554: 'takes no mail (554)',
};

/** The lines are no reply. */
export const NO_CODE = 0;

const LINE = /^([2-5]\d\d)([- ]|$)/;

/** Code of a reply of one or more lines (RFC 5321 section 4.2.1). */
export function readCode(bytes: Buffer): number | null {
  const lines = bytes.toString('latin1').split('\n');
  for (const line of lines.slice(0, -1)) {
    const [, code, more] = LINE.exec(line.replace(/\r$/, '')) ?? [];
    if (code === undefined) return NO_CODE;
    if (more !== '-') return Number(code);
  }
  return null;
}
