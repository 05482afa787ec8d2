/** Syslog: a message with its priority; in a stream optionally preceded by its length. */
import type { Protocol } from '../model/protocol.js';

/** 24 facilities × 8 severities, no leading zeros. */
const priority = '<(?:[0-9]|[1-9][0-9]|1[0-8][0-9]|19[01])>';

/** RFC 5424 continues with a version, RFC 3164 with a date, others with any text. */
const text = '(?:[A-Za-z0-9 !"#$%&\'(*+./:=?@\\[\\\\^_`{|~\\-]|[\\xc2-\\xf4][\\x80-\\xbf])';
const message = `${priority}${text}`;

export const syslog: Protocol = {
  id: 'syslog',
  transports: ['tcp', 'udp'],
  rank: 40,
  // Octet counting, or LF-terminated messages (RFC 6587 section 3.4); logger can use octet counting in datagrams too.
  signature: { patterns: [`^(?:[1-9][0-9]{0,7} )?${message}`] },
  words: '<PRIORITY>, perhaps after the LENGTH of the message',
  source: 'RFC 5424 section 6, RFC 3164, RFC 6587 section 3.4, RFC 5426',
};
