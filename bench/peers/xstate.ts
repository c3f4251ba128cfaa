/** XState, as its documentation has it: states that invoke promises; its snapshot is written as JSON at every step when it is to be kept. */
import { createActor, fromPromise, createMachine } from "xstate";
import { commit, openDatabase } from "../page/raw.ts";
import { demand } from "../page/measure.ts";

export interface Chart {
  /** Runs it to its end; gives the number of its nodes. */
  run(): Promise<number>;
}

/** `kept`: its persisted snapshot goes into IndexedDB, strictly, after each state, as one that must survive would. */
export async function chartChain(length: number, kept: boolean): Promise<Chart> {
  const states = Object.fromEntries(
    Array.from({ length }, (_, at) => [
      `n${String(at)}`,
      { invoke: { src: "work", onDone: at === length - 1 ? "end" : `n${String(at + 1)}` } },
    ]),
  );
  let done = 0;
  const machine = createMachine(
    { id: "chain", initial: "n0", states: { ...states, end: { type: "final" } } },
    { actors: { work: fromPromise(() => Promise.resolve(++done)) } },
  );
  const database = kept ? await openDatabase(`xstate-${String(Date.now())}`, ["snapshots"]) : undefined;
  return {
    run: () =>
      new Promise((resolve, reject) => {
        done = 0;
        let writes = Promise.resolve();
        const actor = createActor(machine);
        actor.subscribe({
          next: () => {
            if (!database) return;
            const text = JSON.stringify(actor.getPersistedSnapshot());
            writes = writes.then(() => commit(database, "snapshots", "chain", text));
          },
          error: reject,
          complete: () => {
            writes.then(() => {
              demand(done === length, `XState: ${String(done)} nodes`);
              resolve(done);
            }, reject);
          },
        });
        actor.start();
      }),
  };
}

/** A parallel state with so many regions, each of which invokes one promise. */
export function chartFan(width: number): Chart {
  let done = 0;
  const region = {
    initial: "work",
    states: { work: { invoke: { src: "work", onDone: "end" } }, end: { type: "final" } },
  };
  const states = Object.fromEntries(Array.from({ length: width }, (_, at) => [`n${String(at)}`, region]));
  const machine = createMachine(
    { id: "fan", type: "parallel", states: states as never },
    { actors: { work: fromPromise(() => Promise.resolve(++done)) } },
  );
  return {
    run: () =>
      new Promise((resolve, reject) => {
        done = 0;
        const actor = createActor(machine);
        actor.subscribe({
          error: reject,
          complete: () => {
            demand(done === width, `XState: ${String(done)} nodes`);
            resolve(done);
          },
        });
        actor.start();
      }),
  };
}
