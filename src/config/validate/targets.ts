/** Where sessions may be sent: the upstreams by name, or one of the ways to close. */
import { suggestion } from '../../base/nearest.js';
import type { TargetConfig } from '../../model/config.js';
import { type Closing, closings } from '../../model/session.js';
import type { Path } from '../path.js';
import type { Report } from '../report.js';

const isClosing = (text: string): text is Closing => (closings as readonly string[]).includes(text);

export class Targets {
  readonly #upstreams: Set<string>;
  readonly #report: Report;

  constructor(upstreams: Iterable<string>, report: Report) {
    this.#upstreams = new Set(upstreams);
    this.#report = report;
  }

  resolve(text: string, path: Path): TargetConfig | null {
    if (isClosing(text)) return { kind: 'end', closing: text };
    if (this.#upstreams.has(text)) return { kind: 'upstream', upstream: text };
    this.#report.problem(path, `unknown upstream \`${text}\`${this.#hint(text)}`);
    return null;
  }

  #hint(text: string): string {
    if (text.includes(':')) return ': name an upstream, and write the address there';
    return suggestion(text, [...this.#upstreams, ...closings]);
  }
}

export function checkUpstreamName(name: string, path: Path, report: Report): void {
  if (isClosing(name))
    report.problem(path, `an upstream can not be called \`${name}\`: it is a way to close`);
  else if (name === '' || /[\s:,]/.test(name)) {
    report.problem(path, `\`${name}\` can not name an upstream: leave out spaces, colons and commas`);
  }
}
