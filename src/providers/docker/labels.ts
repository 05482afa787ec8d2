/**
 * What the labels of one container say: its aliases, and of each how it is reached. Pure. Two languages: GoDoxy's
 * (`proxy.ALIAS.port`) for ports that are passed on, and ours (`anyport.ALIAS.host`) for sessions that are identified.
 */
import { visible } from '../../base/text.js';
import type { Container } from './container.js';

export const labelLimits = {
  /** Of one container. */
  aliasesMax: 64,
  /** Of one container, of ours and GoDoxy's: the work is these times aliases. With more it is left out. */
  labelsMax: 1024,
  /** Characters of a label's name. */
  nameMax: 256,
  /** Characters of a label's value. */
  valueMax: 4096,
  /** Told of one container; the others are counted. */
  problemsMax: 20,
  /** Characters of one problem; what is longer is cut. */
  messageMax: 400,
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

export const problemOf = (container: Container, label: string, message: string): LabelProblem => ({
  from: originOf(container, label),
  message: visible(clipped(message, labelLimits.messageMax)),
});

/** Labels of other tools are not looked at; a container without any of these is none of our business. */
export function readLabels(container: Container): ReadLabels {
  const all = Object.entries(container.labels).filter(([name]) => /^(?:proxy|anyport)\./.test(name));
  if (all.length === 0 || isExcluded(container)) return NOTHING;
  const { labelsMax, problemsMax } = labelLimits;
  if (all.length > labelsMax) return leftOut(container, '*', `${all.length} labels: at most ${labelsMax}`);
  const network = networkOf(container);
  const fault = network && valueFault(network.text);
  if (network && fault) return leftOut(container, network.label, fault);
  const reader = new Reader(container, all.map(namedOf));
  const aliases = reader.aliases
    .map((alias) => reader.read(alias))
    .filter(({ alias }) => !reader.isWrong(alias));
  const problems = [...reader.problems, ...reader.strays()];
  const more = problems.length - problemsMax;
  const rest = more > 0 ? [problemOf(container, '*', `${more} more problems`)] : [];
  return { aliases, network, problems: [...problems.slice(0, problemsMax), ...rest] };
}

const leftOut = (container: Container, label: string, message: string): ReadLabels => ({
  ...NOTHING,
  problems: [problemOf(container, label, message)],
});

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

/** A label, with the parts of its name. */
interface Named {
  readonly name: string;
  readonly text: string;
  readonly language: string;
  /** Or a pattern of aliases. */
  readonly alias: string;
  /** Key behind the alias; empty: of the container itself, or of nobody. */
  readonly rest: string;
  /** Why it can not be used; null: it can. */
  readonly fault: string | null;
}

function namedOf([name, text]: readonly [string, string]): Named {
  const { nameMax } = labelLimits;
  if (name.length > nameMax) {
    const fault = `has a name of ${name.length} characters: at most ${nameMax}`;
    return { name, text: '', language: '', alias: '', rest: '', fault };
  }
  const [language = '', alias = '', ...others] = name.split('.');
  const rest = others.join('.');
  return { name, text, language, alias, rest, fault: valueFault(text) ?? keyFault(language, rest) };
}

class Reader {
  readonly aliases: readonly string[];
  readonly problems: LabelProblem[] = [];
  readonly #container: Container;
  readonly #labels: readonly Named[];
  /** Of aliases, by name or pattern. */
  readonly #byAlias: ReadonlyMap<string, readonly Named[]>;
  readonly #wrong = new Set<string>();

  constructor(container: Container, labels: readonly Named[]) {
    this.#container = container;
    this.#labels = labels;
    this.#byAlias = groupBy(labels.filter(({ rest }) => rest !== ''));
    this.aliases = this.#aliasesOf();
  }

  isWrong(alias: string): boolean {
    return this.#wrong.has(alias);
  }

  /** Those of `proxy.aliases` in their order, then those that labels name; without any the container's name, for patterns. */
  #aliasesOf(): string[] {
    const listed = this.#labels.find(({ name }) => name === 'proxy.aliases');
    const written = listed?.text.slice(0, labelLimits.valueMax).split(',') ?? [];
    const all = [
      ...written.map((text) => text.trim()).filter((text) => text !== ''),
      ...[...this.#byAlias.keys()].filter((alias) => !isPattern(alias)),
    ];
    if (all.length === 0 && this.#byAlias.size > 0) all.push(this.#container.name);
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
  read(alias: string): AliasLabels {
    const [proxy, own] = [new Map<string, Label>(), new Map<string, Label>()];
    for (const pattern of ['*', `#${this.aliases.indexOf(alias) + 1}`, alias])
      for (const { language, rest, text, fault } of this.#byAlias.get(pattern) ?? []) {
        const label = `${language}.${alias}.${rest}`;
        if (fault === null) (language === 'proxy' ? proxy : own).set(rest, { label, text: text.trim() });
        else {
          this.#refuse(label, fault);
          this.#wrong.add(alias);
        }
      }
    return { alias, proxy, own };
  }

  /** Labels that belong to no alias. */
  strays(): LabelProblem[] {
    return this.#labels
      .filter(({ alias, rest }) =>
        rest === ''
          ? !WHOLE.includes(alias)
          : isPattern(alias) && alias !== '*' && !(Number(alias.slice(1)) <= this.aliases.length),
      )
      .map(({ name, language, fault }) =>
        problemOf(this.#container, name, language === '' && fault !== null ? fault : STRAY),
      );
  }

  #refuse(label: string, message: string): void {
    this.problems.push(problemOf(this.#container, label, message));
  }
}

const STRAY = 'belongs to no alias: write `proxy.ALIAS.KEY` or `anyport.ALIAS.KEY`';

function groupBy(labels: readonly Named[]): Map<string, Named[]> {
  const groups = new Map<string, Named[]>();
  for (const label of labels) {
    const group = groups.get(label.alias);
    if (group === undefined) groups.set(label.alias, [label]);
    else group.push(label);
  }
  return groups;
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
  if (language === 'anyport' && /^health_check\.[a-z][a-z_]{0,39}$/.test(key)) return null;
  return `\`${clipped(key)}\` is none of the keys of \`${language}.ALIAS\`: ${known.join(', ')}`;
}

const clipped = (text: string, most = 80): string => (text.length > most ? `${text.slice(0, most)}…` : text);
