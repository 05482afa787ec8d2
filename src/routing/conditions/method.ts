/** The method of a request: HTTP, WebDAV, RTSP, SIP, the operation of DNS, and whatever else has the fact. */
import { exactText } from '../exact-text.js';

export const method = exactText({
  fact: 'method',
  description: "Method of a session's first request, in capitals: `GET`; of DNS `QUERY`, `NOTIFY`, `UPDATE`",
  values: 'method',
  expected: 'a method in capitals such as `GET`',
  pattern: /^[A-Z][A-Z0-9!#$%&'*+.^_`|~-]{0,31}$/,
});
