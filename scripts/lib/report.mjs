/**
 * Vitest reporter: what a run came to, as JSON in the file that ANYPORT_REPORT names:
 * `{ passed, skipped: [names], failures: [{ where, lines }] }`. Vitest's own JSON report has neither the errors of hooks of
 * nested suites, nor those outside of tests, nor differences.
 */
import { writeFileSync } from 'node:fs';
import { relative } from 'node:path';
import { linesOf } from './error-lines.mjs';

export default class Report {
  onTestRunEnd(modules, unhandled) {
    const tests = modules.flatMap((module) => [...module.children.allTests()]);
    const named = (state) => tests.filter((test) => test.result().state === state).map(nameOf);
    const report = {
      passed: named('passed').length,
      skipped: named('skipped'),
      failures: [...modules.flatMap(failuresOf), ...unhandled.map(outside)],
    };
    writeFileSync(process.env.ANYPORT_REPORT, JSON.stringify(report));
  }
}

const nameOf = ({ module, fullName }) => `${module.relativeModuleId}: ${fullName}`;

function failuresOf(module) {
  const { children, relativeModuleId } = module;
  const failure = (where, errors) => ({ where, lines: errors.flatMap((error) => linesOf(error)) });
  // Of the file: its import and its hooks.
  const own = module.errors().length > 0 ? [failure(relativeModuleId, module.errors())] : [];
  const suites = [...children.allSuites()].filter((suite) => suite.errors().length > 0);
  const tests = [...children.allTests()].filter((test) => test.result().state === 'failed');
  return [
    ...own,
    ...unfinished(module),
    ...suites.map((suite) => failure(`${nameOf(suite)}: in a hook`, suite.errors())),
    ...tests.map((test) => failure(nameOf(test), test.result().errors)),
  ];
}

/** Of a file whose process died. */
function unfinished(module) {
  if (!['queued', 'pending'].includes(module.state())) return [];
  const without = [...module.children.allTests('pending')].length;
  return [{ where: module.relativeModuleId, lines: [`it did not end; ${without} tests without a result`] }];
}

function outside(error) {
  const { type = 'error', VITEST_TEST_PATH: path, VITEST_TEST_NAME: test } = error;
  const place = path && [relative('.', path), test].filter(Boolean).join(': ');
  return { where: [`${type} outside of tests`, place].filter(Boolean).join(', '), lines: linesOf(error) };
}
