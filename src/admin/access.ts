/**
 * Who may use the control interface. Pure: address, token and headers in, a refusal or null out.
 *
 * With a token, whoever brings it. Without one, whoever reaches the address: the file's permissions protect a Unix
 * socket, and a loopback address is for programs of this machine. A browser is such a program and runs pages of
 * strangers: a page whose name resolves to 127.0.0.1 (DNS rebinding) has a foreign Host, one that posts to us (CSRF) a
 * foreign Origin.
 */
import { createHash, timingSafeEqual } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';
import { isLoopback } from '../base/network.js';
import { type Answer, refusal } from './answer.js';

export interface AccessRules {
  readonly kind: 'unix' | 'inet';
  /** Empty: none. */
  readonly token: string;
  /** Names beside those of loopback, in lower case, by which it may be called without a token. */
  readonly hosts: readonly string[];
}

type Headers = Pick<IncomingHttpHeaders, 'authorization' | 'host' | 'origin' | 'sec-fetch-site'>;

export function refusedAccess(rules: AccessRules, headers: Headers, method: string): Answer | null {
  if (rules.token !== '') return isBearer(headers.authorization, rules.token) ? null : unauthorized(headers);
  if (rules.kind === 'unix') return null;
  const { host, origin, 'sec-fetch-site': site } = headers;
  if (host === undefined || !isOurs(host, rules.hosts)) {
    const instead = 'use 127.0.0.1, ::1 or localhost, or add the name to `admin.hosts`';
    return refusal('foreign_host', `the Host header names another machine: ${instead}`);
  }
  const isForeign = origin !== undefined && !isOrigin(origin, host);
  if (isForeign || (changes(method) && site !== undefined && !OWN_SITES.includes(site))) {
    return refusal('foreign_origin', 'a page of another origin may not use this: set `admin.token`');
  }
  return null;
}

/** A reverse proxy in front may speak TLS. */
const isOrigin = (origin: string, host: string): boolean =>
  origin === `http://${host}` || origin === `https://${host}`;

/** Fetch Metadata: our own page, or the user (address bar, bookmark). `same-site` is another port of this machine. */
const OWN_SITES: readonly string[] = ['same-origin', 'none'];

const changes = (method: string): boolean => method !== 'GET' && method !== 'HEAD';

function unauthorized({ authorization }: Headers): Answer {
  const message =
    authorization === undefined
      ? 'a token is needed: send `Authorization: Bearer TOKEN`'
      : 'this is not the token';
  return { ...refusal('unauthorized', message), headers: { 'www-authenticate': 'Bearer realm="anyport"' } };
}

/** Takes the same time wherever the first wrong character is; digests have the same length. */
function isBearer(authorization: string | undefined, token: string): boolean {
  const sent = /^Bearer +(\S+) *$/i.exec(authorization ?? '')?.[1];
  return sent !== undefined && timingSafeEqual(digest(sent), digest(token));
}

const digest = (text: string): Buffer => createHash('sha256').update(text).digest();

function isOurs(host: string, names: readonly string[]): boolean {
  const name = /^(\[[^\]]*\]|[^:]*)(?::\d{1,5})?$/.exec(host)?.[1]?.toLowerCase();
  if (name === undefined) return false;
  const literal = name.replace(/^\[(.*)\]$/, '$1');
  return name === 'localhost' || name === 'localhost.' || isLoopback(literal) || names.includes(literal);
}
