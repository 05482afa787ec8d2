/** WebDAV: an HTTP request with a WebDAV method. OPTIONS is not one: other web clients send it too. */
import type { Protocol } from '../model/protocol.js';
import { httpFacts } from './http.js';
import { oneOf } from './lines.js';
import { lineBytesMax, requestLine } from './request.js';

const method = oneOf(`
  PROPFIND PROPPATCH MKCOL COPY MOVE LOCK UNLOCK ORDERPATCH ACL SEARCH REPORT MKCALENDAR
  VERSION-CONTROL CHECKOUT CHECKIN UNCHECKOUT MKWORKSPACE UPDATE LABEL MERGE BASELINE-CONTROL MKACTIVITY
  BIND UNBIND REBIND MKREDIRECTREF UPDATEREDIRECTREF
`);

export const webdav: Protocol = {
  id: 'webdav',
  transports: ['tcp'],
  rank: 79,
  refines: 'http',
  signature: { patterns: [requestLine({ method, version: 'HTTP/1\\.[01]' })], maxBytes: lineBytesMax },
  factNames: ['method', 'path', 'host', 'upgrade'],
  words: 'a request line of HTTP/1.x with a WebDAV method: PROPFIND, MKCOL, LOCK, REPORT …',
  source: 'RFC 4918, 3253, 3648, 3744, 4437, 4791, 5323, 5842',
  facts: httpFacts,
};
