// Never loads: its import waits for what does not come.
await new Promise(() => {
  setInterval(() => {}, 60_000);
});

export default function never() {}
