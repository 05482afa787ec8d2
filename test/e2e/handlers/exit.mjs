/** A handler that takes its worker thread down with it. */
export default function exit() {
  process.exit(7);
}
