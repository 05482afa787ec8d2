/**
 * Micro-benchmarks of identification: classifying a first flight, reading its facts, routing, changing the protocols,
 * changing the configuration; and of admission: finding a source in a list, reading a list.
 * The answers of the timed calls are checked before and after. Run from the project's root on a build:
 * `npm run bench -- --only micro`.
 */
import { cpus } from 'node:os';
import { flightTasks, groupTasks, mixedTask, protocolCount } from './classify.js';
import { configurationTasks } from './configuration.js';
import { confirmedDatagramTasks, datagramProtocolCount, datagramTasks } from './datagrams.js';
import { editTimes } from './edits.js';
import { confirmTasks, factsTasks } from './facts.js';
import { listTasks, readingTimes } from './lists.js';
import { pickTasks } from './picks.js';
import { growthTasks, indexTasks } from './protocols.js';
import { routeTasks } from './routes.js';
import { printTable, quantile, time } from './task.js';

const [cpu] = cpus();
console.log(`${cpu?.model}, ${cpus().length} cores; Node ${process.version}; ${new Date().toISOString()}`);
console.log('npm run bench -- --only micro; nanoseconds each, medians');

const flights = await time(flightTasks(), 10);
printTable(`classify a recorded first flight among ${protocolCount} protocols`, [
  ...(await time([mixedTask()], 500)),
  { name: 'each repeated, the median of all flights', nanoseconds: quantile(flights, 0.5) },
  { name: 'each repeated, the dearest tenth begins at', nanoseconds: quantile(flights, 0.9) },
]);
printTable('by protocol, flight after flight', await time(groupTasks(), 100));
printTable(
  `classify a datagram among ${datagramProtocolCount} protocols, by signatures`,
  await time(datagramTasks(), 200),
);
printTable(
  'and with the confirmations of what they match, one call each',
  await time(confirmedDatagramTasks(), 200),
);
printTable('confirm what the signature has matched', await time(confirmTasks(), 100));
printTable('read the facts of a flight', await time(factsTasks(), 100));
printTable('route a session', await time(routeTasks(), 100));
printTable('find a source in a list', await time(listTasks(), 200));
printTable('read a list of 1,000,000 lines, each line', await readingTimes(5));
printTable('pick one of 1,000 endpoints', await time(pickTasks(), 100));
printTable('classify among protocols that do not share its first byte', await time(growthTasks(), 100));
printTable(
  `change one of ${protocolCount} protocols: the index alone, and as a worker prepares a Plan`,
  await time(indexTasks(), 200),
);
printTable('a protocol from the call until it is in force everywhere', [
  ...(await editTimes(2, 50)),
  ...(await editTimes(0, 50)),
]);
printTable(
  'change a configuration of 1,000 routes and 200 upstreams, warm',
  await time(configurationTasks(), 500),
);
