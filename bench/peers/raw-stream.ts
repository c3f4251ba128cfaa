/** Posts numbers to whoever has started it, so many in each message. */
addEventListener("message", ({ data }: MessageEvent<{ readonly count: number; readonly together: number }>) => {
  const { count, together } = data;
  for (let from = 0; from < count; from += together)
    postMessage(Array.from({ length: Math.min(together, count - from) }, (_, at) => ({ n: from + at })));
});
