/** Targets of sessions: upstreams by name, or a way to close. */
import { isIP } from 'node:net';
import type { TargetConfig } from '../../model/config.js';
import { type Closing, closings } from '../../model/session.js';
import type { Path } from '../path.js';
import type { Report } from '../report.js';
import { suggest } from '../suggest.js';

const isClosing = (text: string): text is Closing => (closings as readonly string[]).includes(text);

const looksLikeAddress = (text: string): boolean =>
  isIP(text) !== 0 || text === 'localhost' || /^[\w-]+(?:\.[\w-]+)+$/.test(text);

/** Upper bound on suggestions: finding the nearest of thousands of names is slow. */
const HINTS_MAX = 100;

export class Targets {
  #hints = 0;
  readonly #upstreams: Set<string>;
  readonly #report: Report;

  constructor(upstreams: Iterable<string>, report: Report) {
    this.#upstreams = new Set(upstreams);
    this.#report = report;
  }

  resolve(text: string, path: Path): TargetConfig | null {
    const target = this.#find(text);
    if (target === null) this.#report.problem(path, `unknown upstream \`${text}\`${this.#hint(text)}`);
    return target;
  }

  /** For places that also take an address: explains a missing port. */
  resolveNameOrAddress(text: string, path: Path): TargetConfig | null {
    const target = this.#find(text);
    if (target !== null) return target;
    const hint = /^\d+$/.test(text)
      ? `\`${text}\` is a port without a host: write \`127.0.0.1:${text}\``
      : looksLikeAddress(text)
        ? `\`${text}\` is an address without a port: write \`${text.includes(':') ? `[${text}]` : text}:PORT\``
        : `unknown upstream \`${text}\`${this.#hint(text)} (an address has a port, as \`${text}:80\`)`;
    this.#report.problem(path, hint);
    return null;
  }

  #find(text: string): TargetConfig | null {
    if (isClosing(text)) return { kind: 'end', closing: text };
    return this.#upstreams.has(text) ? { kind: 'upstream', upstream: text } : null;
  }

  #hint(text: string): string {
    if (text.includes(':') || looksLikeAddress(text))
      return ': name an upstream, and write the address there';
    this.#hints++;
    return this.#hints > HINTS_MAX ? '' : suggest(text, [...this.#upstreams, ...closings]);
  }
}

/** It is in metrics, logs and votes, each time. */
const NAME_CHARACTERS_MAX = 255;

export function checkUpstreamName(name: string, path: Path, report: Report): void {
  if (isClosing(name))
    report.problem(path, `an upstream can not be called \`${name}\`: it is a way to close`);
  else if (name.length > NAME_CHARACTERS_MAX)
    report.problem(path, `a name of ${name.length} characters is too long: at most ${NAME_CHARACTERS_MAX}`);
  else if (name === '' || /[\s:,]/.test(name))
    report.problem(path, `\`${name}\` can not name an upstream: leave out spaces, colons and commas`);
  else if (/\p{Cc}/u.test(name))
    report.problem(path, `\`${name}\` can not name an upstream: leave out control characters`);
}
