/**
 * What the labels of one container say: its aliases, and of each how it is reached. Pure. Two languages: GoDoxy's
 * (`proxy.ALIAS.port`) for ports that are passed on, and ours (`anyport.ALIAS.host`) for sessions that are identified.
 */
import { visible } from '../../base/text.js';
import type { Container } from './container.js';

export const labelLimits = {
  /** Of one container. */
  aliasesMax: 64,
  /** Characters of a label's name. */
  nameMax: 256,
  /** Characters of a label's value. */
  valueMax: 4096,
} as const;

/** A label that counts; `text` is its value. */
export interface Label {
  readonly label: string;
  readonly text: string;
}

export interface AliasLabels {
  readonly alias: string;
  /** Keys behind the alias, such as `port` and `health_check.type`. */
  readonly proxy: ReadonlyMap<string, Label>;
  readonly own: ReadonlyMap<string, Label>;
}

/** Why a container, or one of its aliases, is left out. */
export interface LabelProblem {
  /** `container web-1, label proxy.web.port` */
  readonly from: string;
  readonly message: string;
}

export interface ReadLabels {
  readonly aliases: readonly AliasLabels[];
  /** Network that it is reached by; null: none is chosen. */
  readonly network: Label | null;
  readonly problems: readonly LabelProblem[];
}

const NOTHING: ReadLabels = { aliases: [], network: null, problems: [] };

const ALIAS = /^[A-Za-z0-9][A-Za-z0-9_-]{0,62}$/;

/** Keys of GoDoxy that have a meaning here. */
export const proxyKeys = ['scheme', 'port', 'host'] as const;

/** Ours; those of a health check are the keys of `upstreams.NAME.health_check`. */
export const ownKeys = [
  ...['protocol', 'sni', 'host', 'path', 'listener'],
  ...['port', 'weight', 'proxy_protocol', 'health_check.KEY'],
] as const;

export const originOf = ({ name }: Container, label: string): string =>
  visible(`container ${name}, label ${label.slice(0, labelLimits.nameMax)}`);

/** Labels of other tools are not looked at; a container without any of these is none of our business. */
export function readLabels(container: Container): ReadLabels {
  const labels = Object.entries(container.labels).filter(([name]) => /^(?:proxy|anyport)\./.test(name));
  if (labels.length === 0 || isExcluded(container)) return NOTHING;
  const problems: LabelProblem[] = [];
  const reader = new Reader(container, problems);
  const aliases = reader.aliasesOf(labels);
  return {
    aliases: aliases
      .map((alias) => reader.read(alias, labels, aliases))
      .filter(({ alias }) => !reader.isWrong(alias)),
    network: networkOf(container),
    problems: [...problems, ...reader.strays(labels, aliases)],
  };
}

const isExcluded = ({ labels }: Container): boolean =>
  ['proxy.exclude', 'anyport.exclude'].some((label) =>
    /^\s*(?:true|1|yes|on)\s*$/i.test(labels[label] ?? ''),
  );

function networkOf({ labels }: Container): Label | null {
  for (const label of ['anyport.network', 'proxy.network']) {
    const text = labels[label]?.trim();
    if (text !== undefined && text !== '') return { label, text };
  }
  return null;
}

/** Labels of the container itself. */
const WHOLE = ['aliases', 'exclude', 'network'];

type Entries = readonly (readonly [string, string])[];

class Reader {
  readonly #container: Container;
  readonly #problems: LabelProblem[];
  readonly #wrong = new Set<string>();

  constructor(container: Container, problems: LabelProblem[]) {
    this.#container = container;
    this.#problems = problems;
  }

  isWrong(alias: string): boolean {
    return this.#wrong.has(alias);
  }

  /** Those of `proxy.aliases` in their order, then those that labels of ours name. */
  aliasesOf(labels: Entries): string[] {
    const listed = labels.find(([name]) => name === 'proxy.aliases');
    const written = listed?.[1].slice(0, labelLimits.valueMax).split(',') ?? [];
    const named = labels
      .map(([name]) => partsOf(name))
      .filter(({ rest, alias }) => rest !== '' && !isPattern(alias));
    const all = [
      ...written.map((text) => text.trim()).filter((text) => text !== ''),
      ...named.map(({ alias }) => alias),
    ];
    const right = [...new Set(all)].filter((alias) => {
      if (ALIAS.test(alias)) return true;
      this.#refuse(
        'proxy.aliases',
        `\`${clipped(alias)}\` can not be an alias: letters, digits, \`-\` and \`_\`, at most 63`,
      );
      return false;
    });
    if (right.length > labelLimits.aliasesMax)
      this.#refuse(
        'proxy.aliases',
        `${right.length} aliases are too many: at most ${labelLimits.aliasesMax}; the rest is left out`,
      );
    return right.slice(0, labelLimits.aliasesMax);
  }

  /** `proxy.*.KEY` is for every alias, `proxy.#1.KEY` for the first one; what names the alias itself wins. */
  read(alias: string, labels: Entries, aliases: readonly string[]): AliasLabels {
    const [proxy, own] = [new Map<string, Label>(), new Map<string, Label>()];
    const patterns = ['*', `#${aliases.indexOf(alias) + 1}`, alias];
    for (const pattern of patterns) {
      for (const [name, text] of labels) {
        const { language, alias: named, rest } = partsOf(name);
        if (named !== pattern || rest === '') continue;
        const label = `${language}.${alias}.${rest}`;
        if (!this.#isReadable(alias, label, text, language, rest)) continue;
        (language === 'proxy' ? proxy : own).set(rest, { label, text: text.trim() });
      }
    }
    return { alias, proxy, own };
  }

  /** Labels that belong to no alias. */
  strays(labels: Entries, aliases: readonly string[]): LabelProblem[] {
    return labels
      .filter(([name]) => {
        const { alias, rest } = partsOf(name);
        return rest === ''
          ? !WHOLE.includes(alias)
          : isPattern(alias) && alias !== '*' && !(Number(alias.slice(1)) <= aliases.length);
      })
      .map(([name]) => ({
        from: originOf(this.#container, name),
        message: 'belongs to no alias: write `proxy.ALIAS.KEY` or `anyport.ALIAS.KEY`',
      }));
  }

  #isReadable(alias: string, label: string, text: string, language: string, rest: string): boolean {
    const fault = valueFault(text) ?? keyFault(language, rest);
    if (fault === null) return true;
    this.#refuse(label, fault);
    this.#wrong.add(alias);
    return false;
  }

  #refuse(label: string, message: string): void {
    this.#problems.push({ from: originOf(this.#container, label), message: visible(message) });
  }
}

function partsOf(name: string): { language: string; alias: string; rest: string } {
  const [language = '', alias = '', ...rest] = name.split('.');
  return { language, alias, rest: rest.join('.') };
}

const isPattern = (alias: string): boolean => alias === '*' || alias.startsWith('#');

function valueFault(text: string): string | null {
  if (text.length > labelLimits.valueMax)
    return `has ${text.length} characters: at most ${labelLimits.valueMax}`;
  return /[\p{Cc}\ufffd]/u.test(text.trim()) ? 'has control characters, or bytes that are no text' : null;
}

function keyFault(language: string, key: string): string | null {
  const known: readonly string[] = language === 'proxy' ? proxyKeys : ownKeys;
  if (known.includes(key)) return null;
  if (language === 'anyport' && /^health_check\.[a-z_]{1,40}$/.test(key)) return null;
  return `\`${clipped(key)}\` is none of the keys of \`${language}.ALIAS\`: ${known.join(', ')}`;
}

const clipped = (text: string): string => (text.length > 80 ? `${text.slice(0, 80)}…` : text);
