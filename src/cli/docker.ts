/** Runs `anyport docker`: the engine is asked once, and what it says is merged with the file as the daemon does it. */
import { existsSync } from 'node:fs';
import { jsonLine, visible } from '../base/text.js';
import { DEFAULT_FILE } from '../config/default.js';
import { type LoadRequest, loadConfig } from '../config/load.js';
import { formatProblem } from '../config/report.js';
import { type Fragment, takenOf } from '../providers/contribution.js';
import { askOnce } from '../providers/docker/ask.js';
import { EngineClient } from '../providers/docker/client.js';
import { columns } from './columns.js';
import type { DockerOptions } from './commands/docker.js';
import { okOrFail } from './configuration.js';
import { BAD_USAGE, FAILED, Failure } from './failure.js';

export async function showContainers({ config: file, socket, json }: DockerOptions): Promise<void> {
  const request = requestOf(file, socket);
  const { config } = okOrFail(loadConfig(request));
  const { docker } = config;
  if (docker === null)
    throw new Failure(
      'the configuration has no section `docker`: add one, or name the engine with `--socket`',
      BAD_USAGE,
    );
  const client = new EngineClient(docker.place);
  const { contribution, problems } = await askOnce(client, docker).catch((error: Error) => {
    throw new Failure(`the container engine can not be reached: ${error.message}`, FAILED);
  });
  const { refused, taken } = okOrFail(loadConfig({ ...request, contributions: [contribution] }));
  const fragments = takenOf(taken, 'docker');
  const leftOut = [
    ...problems.map(({ from, message }) => `docker: ${from}: ${message}`),
    ...refused.map(formatProblem),
  ];
  process.stdout.write(json ? jsonLine({ fragments, left_out: leftOut }) : textOf(fragments, leftOut));
}

function requestOf(file: string | undefined, socket: string | undefined): LoadRequest {
  const given = file ?? (existsSync(DEFAULT_FILE) ? DEFAULT_FILE : undefined);
  if (socket === undefined && given !== undefined)
    return { file: given, flags: {}, environment: process.env };
  if (given === undefined)
    return { document: { docker: socket === undefined ? {} : { socket } }, directory: '.' };
  const { document, directory } = okOrFail(loadConfig({ file: given, flags: {}, environment: process.env }));
  const docker = { ...(document.docker as object | undefined), socket };
  return { document: { ...document, docker }, directory };
}

interface Made {
  readonly upstreams?: Readonly<
    Record<string, { readonly endpoints: readonly { readonly address: string }[] }>
  >;
  readonly routes?: readonly { readonly when: object }[];
  readonly forwards?: readonly {
    readonly name: string;
    readonly listen: number;
    readonly scheme: string;
    readonly target: { readonly endpoints: readonly { readonly address: string }[] };
  }[];
}

function textOf(fragments: readonly Fragment[], leftOut: readonly string[]): string {
  const rows = fragments.map(({ document, from }) => rowOf(document as Made, from));
  const table =
    rows.length === 0 ? 'no container says anything that can be served\n' : columns([HEADING, ...rows]);
  return table + leftOut.map((line) => `left out: ${visible(line)}\n`).join('');
}

const HEADING = ['ALIAS', 'SESSIONS', 'ENDPOINTS', 'SAID BY'];

function rowOf({ upstreams = {}, routes = [], forwards = [] }: Made, from: string): string[] {
  const [forward] = forwards;
  if (forward !== undefined) {
    const { name, listen, scheme, target } = forward;
    return [name, `port ${listen}/${scheme}`, addressesOf(target), from];
  }
  const [[alias, upstream] = ['', { endpoints: [] }]] = Object.entries(upstreams);
  const when = Object.entries(routes[0]?.when ?? {}).map(([key, value]) => `${key} ${value}`);
  return [alias, when.join(', '), addressesOf(upstream), from];
}

const addressesOf = ({
  endpoints,
}: {
  readonly endpoints: readonly { readonly address: string }[];
}): string => endpoints.map(({ address }) => address).join(',');
