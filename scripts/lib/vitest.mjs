/** Runs vitest and reads counts from a report (scripts/lib/report.mjs), not from its output. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { run } from './run.mjs';

const reporter = fileURLToPath(new URL('report.mjs', import.meta.url));

/**
 * Runs the named test files (default: all); returns `{ passed, failed, skipped: [names] }`. Prints what failed with its
 * errors last, since long output is often read from its end.
 */
export function runVitest(filters, env = {}) {
  const folder = mkdtempSync(join(tmpdir(), 'anyport-report-'));
  const file = join(folder, 'report.json');
  // Ours first: the default one changes errors as it prints them.
  const args = ['node_modules/vitest/vitest.mjs', 'run', `--reporter=${reporter}`, '--reporter=default'];
  const status = run(process.execPath, [...args, ...filters], {
    env: { ...process.env, ...env, ANYPORT_REPORT: file },
  });
  const { passed, skipped, failures } = readReport(file);
  rmSync(folder, { recursive: true });
  if (status !== 0 && failures.length === 0)
    failures.push({ where: 'vitest', lines: [`it ended with status ${status}: its error is printed above`] });
  for (const { where, lines } of failures)
    console.log([`failed: ${where}`, ...lines.map((line) => `    ${line}`)].join('\n'));
  return { passed, failed: failures.length, skipped };
}

function readReport(path) {
  try {
    return JSON.parse(readFileSync(path, 'utf8'));
  } catch {
    return { passed: 0, skipped: [], failures: [] };
  }
}

/** Last line of every test command. */
export function summarize({ passed, failed }) {
  console.log(`${passed} passed, ${failed} failed`);
  return failed === 0 ? 0 : 1;
}
