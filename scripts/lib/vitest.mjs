/** Runs vitest and counts from its JSON report, so that nothing depends on what it prints. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { run } from './run.mjs';

/** Runs the named test files (none named: all) and returns `{ passed, failed, skipped: [names] }`. */
export function runVitest(filters, env = {}) {
  const folder = mkdtempSync(join(tmpdir(), 'anyport-report-'));
  const report = join(folder, 'report.json');
  const args = ['node_modules/vitest/vitest.mjs', 'run', '--reporter=default', '--reporter=json'];
  const status = run(process.execPath, [...args, `--outputFile.json=${report}`, ...filters], {
    env: { ...process.env, ...env },
  });
  const counts = countReport(report);
  rmSync(folder, { recursive: true });
  // An error outside every test fails the run without failing a test.
  if (status !== 0 && counts.failed === 0) counts.failed = 1;
  return counts;
}

function countReport(path) {
  const files = readReport(path).testResults;
  const tests = files.flatMap((file) => file.assertionResults);
  const named = (status) => tests.filter((test) => test.status === status);
  // A file that does not load has failed although none of its tests has.
  const broken = files.filter((file) => file.status === 'failed' && file.assertionResults.length === 0);
  return {
    passed: named('passed').length,
    failed: named('failed').length + broken.length,
    skipped: tests.filter((test) => !['passed', 'failed'].includes(test.status)).map((test) => test.fullName),
  };
}

function readReport(path) {
  try {
    return JSON.parse(readFileSync(path, 'utf8'));
  } catch {
    return { testResults: [] };
  }
}

/** The last line of every test command. */
export function summarize({ passed, failed }) {
  console.log(`${passed} passed, ${failed} failed`);
  return failed === 0 ? 0 : 1;
}
