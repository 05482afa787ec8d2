/**
 * Which fragments fit beside the file, where what is wrong appears at another place than its cause: sought by halves, so that
 * few that do not fit among many cost few validations.
 */
import type { Problem } from '../../model/config.js';
import { contributionLimits } from '../../providers/contribution.js';
import { mergeSources } from '../include/merge.js';
import { formatProblem } from '../report.js';
import type { Source } from '../source.js';
import type { Validated } from '../validate/index.js';
import type { Part } from './part.js';

interface Fitting {
  readonly source: Source;
  readonly validated: Validated;
  readonly kept: readonly Part[];
  readonly refused: readonly Problem[];
}

type Validate = (source: Source) => Validated;

/** Those before win. */
export function fitting(base: Source, parts: readonly Part[], validate: Validate): Fitting {
  const alone = validate(base);
  if (!alone.ok) return { source: base, validated: alone, kept: [], refused: [] };
  return new Search(base, alone, validate).add(parts).result;
}

class Search {
  readonly #base: Source;
  readonly #validate: Validate;
  #result: Fitting;
  #asked = 0;

  constructor(base: Source, validated: Validated, validate: Validate) {
    this.#base = base;
    this.#validate = validate;
    this.#result = { source: base, validated, kept: [], refused: [] };
  }

  get result(): Fitting {
    return this.#result;
  }

  /** Whether they fit is asked of all together, then of each half. */
  add(parts: readonly Part[]): this {
    if (this.#asked >= contributionLimits.searchesMax) return this.#refuse(parts, 'others do not fit');
    this.#asked += 1;
    const kept = [...this.#result.kept, ...parts];
    const source = together(this.#base, kept);
    const validated = this.#validate(source);
    if (validated.ok) {
      this.#result = { ...this.#result, source, validated, kept };
      return this;
    }
    const [first] = validated.problems;
    if (parts.length === 1)
      return this.#refuse(parts, first === undefined ? 'is not valid' : formatProblem(first));
    const middle = parts.length >> 1;
    return this.add(parts.slice(0, middle)).add(parts.slice(middle));
  }

  #refuse(parts: readonly Part[], why: string): this {
    const message = `does not fit to the configuration: ${why}`;
    const refused = parts.map(({ source }) => ({ ...source.place([]), message }));
    this.#result = { ...this.#result, refused: [...this.#result.refused, ...refused] };
    return this;
  }
}

export const together = (base: Source, parts: readonly Part[]): Source =>
  parts.length === 0 ? base : mergeSources([base, ...parts.map(({ source }) => source)]);
