/**
 * When to commit. An idle host commits at the end of the microtask: a lone command waits for nothing. A busy one
 * waits for one turn of the event loop, so that the messages already queued share the commit.
 */
export function createDefer(): (flush: () => void, busy: boolean) => void {
  const { port1, port2 } = new MessageChannel();
  let waiting: (() => void)[] = [];
  port1.onmessage = () => {
    const due = waiting;
    waiting = [];
    for (const flush of due) flush();
  };
  return (flush, busy) => {
    if (!busy) queueMicrotask(flush);
    else if (waiting.push(flush) === 1) port2.postMessage(0);
  };
}
