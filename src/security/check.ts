/** What a start would refuse about the lists of a configuration. Loads the addon. */
import { native } from '../addon.js';
import type { Config, Problem } from '../model/config.js';
import { ListFiles } from './list-files.js';
import { ListMaker, readLists } from './lists.js';

export async function checkLists(config: Config): Promise<readonly Problem[]> {
  const files = new ListFiles(native.Prefixes);
  const faults = await readLists(config, files);
  const { problems } = await new ListMaker(native.Prefixes, files).make(config, []);
  return [...faults, ...problems];
}
