/** `anyport bench`: what this machine carries. */
import type { Command } from 'commander';
import type { BenchOptions } from '../bench/options.js';

const NOTES = `
The daemon of this package runs under real load on loopback, beside the same load without it. Every answer is compared byte by byte;
a wrong one ends the command with status 1. Several values of an option, with commas between them, are measured one after the other.

Examples:
  anyport bench
  anyport bench --workload ping,conn --workers 1,2,4 --json figures.json
  anyport bench -c anyport.yaml --host www.example.com
  anyport bench --plan "50000 connections, 2000/s, 4 Gbit/s"
  anyport bench --html report.html
  anyport bench --record load.jsonl --log anyport.log
  anyport bench --replay load.jsonl --speed 4
  anyport bench --workload bulk --connections 1,8,64 --duration 10s`;

export function addBench(program: Command): void {
  program
    .command('bench')
    .description('measure what this machine carries: throughput, latency, CPU and memory')
    .option('--workload <names>', 'some of them (default: all; an unknown name lists them)')
    .option('--workers <n,…>', 'worker threads of the daemon (default: 1)')
    .option('--accept <modes>', 'reuseport, handoff or both (default: reuseport)')
    .option('--connections <n,…>', 'at once (default: what each workload has itself)')
    .option('--size <bytes,…>', 'of a message, an answer or a transfer, such as 1KiB')
    .option('--duration <time>', 'of each run (default: 5s); of what is recorded or replayed (default: all)')
    .option('--rounds <n>', 'so often as much as goes, for the spread of CPU each (default: 1)')
    .option('--ladder', 'also latency under rising load')
    .option(
      '-c, --config <file>',
      'through this configuration; its endpoints are the load, and it listens on loopback',
    )
    .option('--listener <name>', 'on this listener of --config (default: the first)')
    .option(
      '--opening <protocol>',
      'connections through --config begin so: http, tls, ssh …, or hexadecimal digits',
    )
    .option('--host <name>', 'for this host, where the opening names one')
    .option('--json <file>', 'write the figures there; - is standard output')
    .option('--html <file>', 'write a page of plots there; includes --ladder')
    .option('--plan <load>', 'what a load takes, such as "50000 connections, 2000/s, 4 Gbit/s"')
    .option('--figures <file>', 'plan by figures of an earlier --json, instead of measuring')
    .option('--record <file>', 'write a recording there: the load that the sessions of --log were')
    .option('--log <file>', 'the access log to record from, as JSON; - is standard input')
    .option('--replay <file>', 'a recording as the load, each session when it is due')
    .option('--speed <n>', 'so many times as fast as it was recorded (default: 1)')
    .addHelpText('after', NOTES)
    .action(measure);
}

async function measure(options: BenchOptions): Promise<void> {
  const { runBench } = await import('../bench/run.js');
  await runBench(options);
}
