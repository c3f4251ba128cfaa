/** What runs in the page: the spawner, and a host for what it spawns. */
import { spawnCell, type Cell, type SpawnOptions } from "../../../src/client/spawner.ts";
import type { AgentDescription } from "../../../src/core/plugin.ts";
import { encodeError, type ErrorData } from "../../../src/core/errors.ts";
import { fakeHost, textOf, type FakeHost } from "../../fixtures/agents/host.ts";

export interface Spawned {
  readonly description: AgentDescription;
  readonly integrity: string;
  /** From the call to the answer, in milliseconds. */
  readonly ms: number;
}

/** What a test asks of the page; all of it is JSON. */
export interface CellPage {
  /** Starts an agent under a name; gives the error when that fails. */
  spawn(name: string, options: SpawnOptions): Promise<Spawned | ErrorData>;
  /** Runs a task, and gives what comes of it. */
  run(name: string, conduct: string, value?: unknown): Promise<unknown>;
  /** The same with the task's whole input, whatever agent it is. */
  give(name: string, input: unknown): Promise<unknown>;
  /** Starts a task that nobody waits for. */
  start(name: string, conduct: string, value?: unknown): void;
  crashed(name: string): Promise<ErrorData>;
  kill(name: string): void;
  /** How many posts came from the agent so far. */
  posts(name: string): number;
}

declare global {
  var cells: CellPage;
}

/** More posts than this are a flood. */
const FLOOD = 2_000;

const running = new Map<string, { readonly cell: Cell; readonly host: FakeHost }>();
let tasks = 0;

const named = (name: string): { readonly cell: Cell; readonly host: FakeHost } => {
  const found = running.get(name);
  if (!found) throw new Error(`nothing runs under ${name}`);
  return found;
};

/** What comes of a task. */
async function outcome(name: string, start: (host: FakeHost, task: string) => void): Promise<unknown> {
  const { host } = named(name);
  const task = `task-${++tasks}`;
  start(host, task);
  const ended = await host.outcomeOf(task);
  return ended.kind === "done" ? (JSON.parse(textOf(ended.output)) as unknown) : ended.error;
}

globalThis.cells = {
  async spawn(name, options) {
    const started = performance.now();
    try {
      const cell = await spawnCell(options);
      const ms = performance.now() - started;
      const host = fakeHost(cell.serve(), (posts) => {
        if (posts === FLOOD) cell.kill(); // as a host would order it
      });
      running.set(name, { cell, host });
      return { description: cell.description, integrity: cell.integrity, ms };
    } catch (error) {
      return encodeError(error);
    }
  },
  run: (name, conduct, value) =>
    outcome(name, (host, task) => {
      host.run(conduct, value, { task });
    }),
  give: (name, input) =>
    outcome(name, (host, task) => {
      host.run("", undefined, { task, input: JSON.stringify(input) });
    }),
  start(name, conduct, value) {
    named(name).host.run(conduct, value, { task: `task-${++tasks}` });
  },
  crashed: (name) => named(name).cell.crashed,
  kill(name) {
    named(name).cell.kill();
  },
  posts: (name) => named(name).host.posts.length,
};
