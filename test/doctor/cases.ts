/** Cases of checks: a machine, a configuration, and what is said of them. */
import { describe, expect, test } from 'vitest';
import type { Check, Finding, Verdict } from '../../src/doctor/check.js';
import { configOf, type Differences, findingsOf } from './support.js';

export interface Case {
  readonly check: Check;
  readonly why: string;
  /** Sections of the configuration. */
  readonly asks?: Readonly<Record<string, unknown>>;
  readonly on?: Differences;
  readonly says: Verdict | 'nothing';
  readonly there?: string;
  /** The first remedy. */
  readonly remedy?: string;
}

export function runCases(cases: readonly Case[]): void {
  describe.each([...new Set(cases.map(({ check }) => check))])('$name', (own) => {
    test.each(cases.filter(({ check }) => check === own))(
      '$why: $says',
      ({ check, asks, on = {}, says, ...told }) => {
        const [finding, ...others] = findingsOf(check, on, configOf(asks));
        expect(others).toEqual([]);
        expect(finding?.verdict ?? 'nothing').toBe(says);
        expect(finding?.there).toBe(told.there ?? finding?.there);
        expect(finding?.remedies?.[0]).toBe(told.remedy ?? finding?.remedies?.[0]);
        expect(finding === undefined || saysEnough(finding)).toBe(true);
      },
    );
  });
}

/** What is short or to note is explained and mended. */
const saysEnough = ({ verdict, why, remedies = [] }: Finding): boolean =>
  verdict === 'ok' || verdict === 'unknown' || (Boolean(why) && remedies.length > 0);
