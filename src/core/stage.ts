import type { Kit } from "./kernel.ts";
import type { ArchiveRow } from "./ports.ts";
import { createPicture, type Picture } from "./picture.ts";
import { createState, type CoreState } from "./runtime.ts";
import { createTable } from "./tables.ts";
import { createDueQueue, type DueQueue } from "./timers/due-queue.ts";

/** The state, and what it hands out while events are folded. */
export interface Stage {
  readonly state: CoreState;
  /** By the command of what is due in it, in the order in which the slices made them. */
  readonly due: ReadonlyMap<string, DueQueue>;
  readonly finished: ArchiveRow[];
  readonly picture: Picture;
}

export function createStage(): Stage {
  const due = new Map<string, DueQueue>();
  const finished: ArchiveRow[] = [];
  const kit: Kit = {
    table: createTable,
    due(wake) {
      const queue = createDueQueue();
      due.set(wake, queue);
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
