/** `protocols.http({ … })`: a definition for each built-in, made from the table. */
import { type BuiltInId as Id, protocols as table } from '../protocols/index.js';
import type { ProtocolDefinition } from './options.js';

/** Id of a built-in: `http`, `tls` … (docs/protocols.md lists them). */
export type BuiltInId = Id;

/** Everything that may be said of a built-in; a signature makes it a protocol of your own under a built-in's name. */
export type BuiltInOptions = Omit<ProtocolDefinition, 'name'>;

export type ProtocolBuilders = {
  readonly [Name in BuiltInId]: (options?: BuiltInOptions) => ProtocolDefinition & { readonly name: Name };
};

/** By id: `protocols.http`, `protocols.tls` … */
export const protocols: ProtocolBuilders = Object.freeze(
  Object.fromEntries(table.map(({ id }) => [id, (options = {}) => ({ ...options, name: id })])),
) as ProtocolBuilders;
