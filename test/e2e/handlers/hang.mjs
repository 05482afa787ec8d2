// Never gives its thread back.
export default function hang() {
  for (;;);
}
