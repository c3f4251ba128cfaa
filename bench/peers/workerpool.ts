/** workerpool by its own documentation: a call for each task; a worker has one at a time, the others wait in its queue. */
import { pool as createPool } from "workerpool";
import { demand } from "../page/measure.ts";
import type { Pool } from "../page/raw.ts";

export function openWorkerpool(workers: number): Pool {
  const options = { minWorkers: workers, maxWorkers: workers, workerType: "web" } as const;
  const pool = createPool("/bench/dist/workerpool-agent.js", options);
  return {
    async tasks(count, window) {
      let sent = 0;
      let sum = 0;
      const lane = async (): Promise<void> => {
        while (sent < count) {
          const output = (await pool.exec("echo", [{ n: sent++ }])) as { n: number };
          sum += output.n;
        }
      };
      await Promise.all(Array.from({ length: window }, lane));
      demand(sum === (count * (count - 1)) / 2, "workerpool's results");
      return count;
    },
  };
}
