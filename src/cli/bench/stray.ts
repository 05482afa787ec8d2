/** Options of `anyport bench` that would change nothing: they are refused, because somebody expects something of them. */
import { BAD_USAGE, Failure } from '../failure.js';
import type { BenchOptions } from './options.js';

type Option = keyof BenchOptions;

/** Options that change another one, which is missing. */
const NEEDS: Readonly<Partial<Record<Option, Option>>> = {
  figures: 'plan',
  log: 'record',
  speed: 'replay',
  listener: 'config',
  opening: 'config',
  host: 'config',
};

/** Options that do something else than measure what is asked: why most others are not for them, and which are. */
const ALONE: readonly { readonly option: Option; readonly why: string; readonly takes: readonly Option[] }[] =
  [
    { option: 'record', why: 'nothing runs, a log is read', takes: ['log', 'duration'] },
    {
      option: 'replay',
      why: 'the load is that of the recording',
      takes: [
        'speed',
        'duration',
        'workers',
        'accept',
        'json',
        'html',
        'config',
        'listener',
        'opening',
        'host',
      ],
    },
    {
      option: 'plan',
      why: 'what is measured follows from the load that is planned',
      takes: ['figures', 'duration', 'json', 'config', 'listener', 'opening', 'host'],
    },
  ];

export function refuseStray(options: BenchOptions): void {
  const given = (Object.keys(options) as Option[]).filter((option) => options[option] !== undefined);
  for (const option of given) {
    const needed = NEEDS[option];
    if (needed !== undefined && options[needed] === undefined)
      throw new Failure(`--${option} is for --${needed}`, BAD_USAGE);
  }
  for (const { option, why, takes } of ALONE.filter((each) => options[each.option] !== undefined)) {
    const other = given.find((each) => each !== option && !takes.includes(each));
    if (other !== undefined) throw new Failure(`--${other} is not for --${option}: ${why}`, BAD_USAGE);
  }
}
