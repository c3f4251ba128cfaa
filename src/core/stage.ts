import type { Kit } from "./kernel.ts";
import type { ArchiveRow } from "./ports.ts";
import { createPicture, type Picture } from "./picture.ts";
import { createState, type CoreState } from "./runtime.ts";
import { createTable } from "./tables.ts";
import { createDueQueue, type DueQueue } from "./timers/due-queue.ts";

/** The state, and what it hands out while events are folded. */
export interface Stage {
  readonly state: CoreState;
  readonly due: readonly DueQueue[];
  readonly finished: ArchiveRow[];
  readonly picture: Picture;
}

export function createStage(): Stage {
  const due: DueQueue[] = [];
  const finished: ArchiveRow[] = [];
  const kit: Kit = {
    table: createTable,
    due() {
      const queue = createDueQueue();
      due.push(queue);
      return queue;
    },
    finished: (kind) => ({
      add(id, record, at) {
        finished.push({ kind, id, at, text: JSON.stringify(record) });
        picture.finished(kind, record as object);
      },
    }),
  };
  const state = createState(kit);
  const picture = createPicture(state);
  return { state, due, finished, picture };
}
