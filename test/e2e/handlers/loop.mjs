// Never gives its thread back, nor the processor.
export default function loop() {
  for (;;);
}
