// Runs the built daemon on a configuration given as JSON, past the reading and checking of files.
import { exitNow, runDaemon } from '../../dist/cli/run/process.js';

const config = JSON.parse(process.argv[2]);
const none = () => Promise.reject(new Error('there is no file'));
const origin = { files: [], readAtMs: 0 };
const source = { document: {}, name: 'test', reload: none, check: none };
exitNow(await runDaemon(config, { version: '1.2.3', warnings: ['a warning'], demo: null, source, origin }));
