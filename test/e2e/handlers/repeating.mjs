/** A handler that fails with what its client has sent. */
export default async function repeat(socket) {
  for await (const bytes of socket) throw new Error(`no use for ${bytes.toString('utf8')}`);
}
