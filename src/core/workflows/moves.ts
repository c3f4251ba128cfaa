/** When something of a run last happened. */
import type { Table } from "../kernel.ts";
import type { TaskParent } from "../tasks/task.ts";
import { rootOf, type Execution } from "./execution.ts";

/** Outermost runs, and when something of them last happened. */
export interface Moves {
  readonly executions: Table<Execution>;
  readonly moves: Table<{ readonly id: string; readonly at: number }>;
}

interface Told {
  readonly id?: string;
  readonly execution?: string;
  readonly parent?: TaskParent | undefined;
}

/** The outermost run that an event is about, if it is about any. */
export function runOf(type: string, { id, execution, parent }: Told): string | undefined {
  const run = execution ?? parent?.execution ?? (type.startsWith("execution.") ? id : undefined);
  return run === undefined ? undefined : rootOf(run);
}

type Apply<State> = Readonly<Record<string, ((state: State, data: never, at: number) => void) | undefined>>;

/** The same fold, which notes that the event's run has moved. */
export function noting<State extends Moves, A extends Apply<State>>(apply: A): A {
  const all = Object.entries(apply).map(([type, fold]) => {
    const noted = (state: State, data: Told, at: number): void => {
      fold?.(state, data as never, at);
      const run = runOf(type, data);
      if (run !== undefined) note(state, run, at);
    };
    return [type, noted] as const;
  });
  return Object.fromEntries(all) as unknown as A;
}

function note({ executions, moves }: Moves, id: string, at: number): void {
  const run = executions.get(id);
  if (!run) moves.delete(id);
  else {
    if (moves.get(id)?.at !== at) moves.set(id, { id, at });
    if (run.stalled) executions.set(id, { ...run, stalled: undefined });
  }
}
