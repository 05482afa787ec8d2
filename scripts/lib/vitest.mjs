/** Runs vitest and reads counts from its JSON report, not from its output. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { run } from './run.mjs';

/**
 * Runs the named test files (default: all); returns `{ passed, failed, skipped: [names] }`. Prints failed tests with
 * their errors last, since long output is often read from its end.
 */
export function runVitest(filters, env = {}) {
  const folder = mkdtempSync(join(tmpdir(), 'anyport-report-'));
  const report = join(folder, 'report.json');
  const args = ['node_modules/vitest/vitest.mjs', 'run', '--reporter=default', '--reporter=json'];
  const status = run(process.execPath, [...args, `--outputFile.json=${report}`, ...filters], {
    env: { ...process.env, ...env },
  });
  const files = readReport(report).testResults;
  rmSync(folder, { recursive: true });
  const counts = count(files);
  // An error outside of tests fails the run without failing a test.
  if (status !== 0 && counts.failed === 0) {
    counts.failed = 1;
    console.log(
      `failed: vitest, with status ${status}, for an error outside every test: it is printed above`,
    );
  }
  tellFailed(files);
  return counts;
}

function tellFailed(files) {
  for (const { name, status, message, assertionResults } of files) {
    const failed = assertionResults.filter((test) => test.status === 'failed');
    for (const { fullName, failureMessages } of failed)
      tell(`${name}: ${fullName}`, failureMessages.join('\n'));
    if (status === 'failed' && failed.length === 0) tell(name, message);
  }
}

function tell(name, message) {
  const lines = message
    .split('\n')
    .filter((line) => !line.includes('/node_modules/'))
    .slice(0, 12);
  console.log(
    [`failed: ${relative('.', name)}`, ...lines.map((line) => `    ${line.slice(0, 300)}`)].join('\n'),
  );
}

function count(files) {
  const tests = files.flatMap((file) => file.assertionResults);
  const named = (status) => tests.filter((test) => test.status === status);
  // A file that fails to load has failed, although none of its tests has.
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

/** Last line of every test command. */
export function summarize({ passed, failed }) {
  console.log(`${passed} passed, ${failed} failed`);
  return failed === 0 ? 0 : 1;
}
