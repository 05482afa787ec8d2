/** What tunnels are: a server and a client in namespaces of their own, and pings from one to the other inside. */
import { existsSync } from 'node:fs';
import { Namespace, namespaceTools } from '../../../../support/namespaces.js';
import { type TempFolder, tempFolder } from '../../../../support/temp.js';
import { eventually } from '../../../../support/wait.js';
import { type At, ServerProcess, type Service } from './service.js';

/** They make devices of their own. */
export const canTunnel = process.getuid?.() === 0 && existsSync('/dev/net/tun');

export interface Ends {
  readonly server: Namespace;
  readonly client: Namespace;
  readonly folder: string;
}

export interface TunnelRecipe {
  readonly name: string;
  readonly protocol: string;
  readonly tools: readonly string[];
  /** Of the server, in its namespace. */
  readonly port: number;
  /** The server's address inside. */
  readonly inside: string;
  prepare(ends: Ends): Promise<void> | void;
  server(ends: Ends): readonly string[];
  /** Sets the server up once it runs. */
  serverRuns?(ends: Ends): Promise<void>;
  client(ends: Ends, at: At): readonly string[];
  clientRuns?(ends: Ends, at: At): Promise<void>;
}

const pinged = (client: Namespace, address: string): Promise<string> =>
  client.run('ping', '-c', '1', '-W', '1', address);

export const tunnelService = (recipe: TunnelRecipe): Service => ({
  name: recipe.name,
  protocol: recipe.protocol,
  tools: [...recipe.tools, ...namespaceTools, 'ping'],
  async start() {
    const [server, client] = await Promise.all([Namespace.create(), Namespace.create()]);
    const folder = tempFolder();
    const ends: Ends = { server, client, folder: folder.path };
    await recipe.prepare(ends);
    const running = new ServerProcess(server.wrap(...recipe.server(ends)), tempFolder());
    await running.during(recipe.serverRuns?.(ends));
    const between = await client.join(server);
    const ask = (host: string, port: number) => pingThrough(recipe, ends, { host, port });
    await ask(between.theirs, recipe.port);
    return {
      target: `${server.v4.theirs}:${recipe.port}`,
      through: (port) => ask(client.v4.ours, port),
      async stop() {
        await running.stop();
        await Promise.all([server.remove(), client.remove()]);
        folder.remove();
      },
    };
  },
});

/** A client of its own, taken down behind it. */
async function pingThrough(recipe: TunnelRecipe, ends: Ends, at: At): Promise<void> {
  const folder: TempFolder = tempFolder();
  const client = new ServerProcess(ends.client.wrap(...recipe.client(ends, at)), folder);
  try {
    await client.during(recipe.clientRuns?.(ends, at));
    await client.serves(async () => void (await pinged(ends.client, recipe.inside)));
    // 1,300 bytes, as often as in a second of a call.
    await ends.client.run('ping', '-c', '50', '-i', '0.002', '-s', '1300', '-W', '2', recipe.inside);
  } finally {
    await client.stop();
  }
}

/** Until what a program has made is there. */
export const untilRuns = (what: string, command: () => Promise<unknown>): Promise<boolean> =>
  eventually(what, () =>
    command().then(
      () => true,
      () => false,
    ),
  );
