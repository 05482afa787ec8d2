// Runs the built daemon on a configuration given as JSON, past the reading and checking of files.
import { exitNow, runDaemon } from '../../dist/cli/run/process.js';

const config = JSON.parse(process.argv[2]);
exitNow(await runDaemon(config, { version: '1.2.3', warnings: ['a warning'], demo: null }));
