/** How quickly tasks reach two and eight workers and come back: ours durable, the others keep nothing. */
import { openWorkerpool } from "../peers/workerpool.ts";
import { rate, type Benchmark, type Scale } from "./measure.ts";
import { openOurs } from "./ours.ts";
import { openSingles } from "./raw.ts";

const WINDOW = 1_000;

export function dispatch({ quick }: Scale): Benchmark[] {
  const count = quick ? 2_000 : 20_000;
  return [2, 8].map((workers): Benchmark => {
    const name = `tasks to ${String(workers)} workers, 1,000 in flight`;
    return {
      name,
      figures: [{ figure: name, unit: "tasks/s", better: "more" }],
      open: async () => {
        const ours = await openOurs(`dispatch-${String(workers)}-${String(Date.now())}`, true, workers);
        const pool = openWorkerpool(workers);
        const singles = openSingles(workers);
        return [
          { name: "ours", role: "ours", round: rate(() => ours.tasks(count, WINDOW)) },
          { name: "workerpool (nothing kept)", role: "peer", round: rate(() => pool.tasks(count, WINDOW)) },
          {
            name: "postMessage, one a task (nothing kept)",
            role: "limit",
            round: rate(() => singles.tasks(count, WINDOW)),
          },
        ];
      },
    };
  });
}
