import { describe, expect, test } from 'vitest';
import { createLineBudget, createLogger, jsonLines, rateLimited } from '../../src/base/log.js';
import { prettyLines } from '../../src/base/pretty.js';

describe('logger', () => {
  test('lines are JSON with an ISO time and the level as a word', () => {
    const lines: string[] = [];
    const log = createLogger({ level: 'info', write: (line) => lines.push(line) });
    log.info({ workers: 2 }, 'ready');
    log.debug('not at this level');
    expect(lines).toHaveLength(1);
    expect(lines[0]).toMatch(/\n$/);
    const line = JSON.parse(lines[0] ?? '') as { time: string };
    expect(line).toEqual({ level: 'info', time: line.time, workers: 2, msg: 'ready' });
    expect(new Date(line.time).toISOString()).toBe(line.time);
  });

  test('pretty lines say the same for people', () => {
    const lines: string[] = [];
    const log = createLogger({ level: 'info', write: (line) => lines.push(line) });
    log.warn({ address: '127.0.0.1:9090' }, 'port in use');
    log.info('two');
    const text = prettyLines(false)(lines.join(''));
    expect(text).toMatch(/^\[.*WARN: port in use \{"address":"127\.0\.0\.1:9090"\}\n\[.*INFO: two\n$/);
  });
});

describe('control characters', () => {
  const beyond = '\u061c\u200e\u200f\u2028\u2029\u202a\u202e\u2066\u2069\ud800';
  const all = Array.from({ length: 0xa0 }, (_, code) => String.fromCharCode(code)).join('') + beyond;
  const lines: string[] = [];
  createLogger({ level: 'info', write: (line) => lines.push(line) }).info({ host: all, list: [all] }, all);

  test('none reaches a terminal raw, and all can be read back', () => {
    // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
    expect(jsonLines(lines[0] ?? '')).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f]/);
    expect(jsonLines(lines[0] ?? '')).not.toMatch(/[\p{Zl}\p{Zp}\p{Bidi_Control}\p{Cs}]/u);
    expect(JSON.parse(jsonLines(lines[0] ?? ''))).toMatchObject({ host: all, list: [all], msg: all });
  });

  test('nor does one in lines for people', () => {
    // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
    expect(prettyLines(false)(lines[0] ?? '')).not.toMatch(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/);
    expect(prettyLines(false)(lines[0] ?? '')).not.toMatch(/[\p{Zl}\p{Zp}\p{Bidi_Control}]/u);
  });
});

describe('line budget', () => {
  test('lets so many lines pass in each second and counts the others', () => {
    let now = 10_000;
    const budget = createLineBudget(2, () => now);
    expect([budget.take(), budget.take(), budget.take(), budget.take()]).toEqual([true, true, false, false]);
    now = 10_999;
    expect(budget.take()).toBe(false);
    expect(budget.suppressed()).toBe(3);
    expect(budget.suppressed()).toBe(0);
    now = 11_000;
    expect(budget.take()).toBe(true);
  });

  test('the first line after a gap says how many are left out', () => {
    let now = 0;
    const written: object[] = [];
    const warn = rateLimited(
      (fields) => written.push(fields),
      1,
      () => now,
    );
    warn({ n: 1 }, 'refused');
    warn({ n: 2 }, 'refused');
    warn({ n: 3 }, 'refused');
    now = 1000;
    warn({ n: 4 }, 'refused');
    warn({ n: 5 }, 'refused');
    now = 2000;
    warn({ n: 6 }, 'refused');
    expect(written).toEqual([{ n: 1 }, { n: 4, suppressed: 2 }, { n: 6, suppressed: 1 }]);
  });
});
