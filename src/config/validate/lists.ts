/** Lists of networks with their files, which are looked at, not read: that is done where they are kept. */
import { resolve } from 'node:path';
import { type ListConfig, type ListsConfig, listKeys } from '../../model/config.js';
import { type Path, pathText } from '../path.js';
import type { Report } from '../report.js';
import type { Context } from './context.js';

type Written = Readonly<
  Record<
    (typeof listKeys)[keyof ListsConfig] | `${(typeof listKeys)[keyof ListsConfig]}_files`,
    readonly string[]
  >
>;

const noList: ListConfig = { networks: [], files: [] };
export const noLists: ListsConfig = { trusted: noList, denied: noList, allowed: noList };

export function resolveLists(written: Written, path: Path, context: Context, report: Report): ListsConfig {
  const list = (name: keyof ListsConfig): ListConfig => {
    const key = listKeys[name];
    const files = written[`${key}_files`].map((file, index) => {
      const at = [...path, `${key}_files`, index];
      const absolute = resolve(context.directory, file);
      const fault = context.listFault(absolute);
      if (fault !== null) report.problem(at, `${fault}: ${absolute}`);
      return { path: absolute, at: pathText(at) };
    });
    return { networks: written[key], files };
  };
  return { trusted: list('trusted'), denied: list('denied'), allowed: list('allowed') };
}

export const isEmptyList = ({ networks, files }: ListConfig): boolean =>
  networks.length === 0 && files.length === 0;
