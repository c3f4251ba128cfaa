/** Advice, from agents and finished tasks as pages see them. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { advise } from "../../../src/client/advice.ts";
import type { AgentView, Runtime, TaskView } from "../../../src/client/runtime.ts";
import type { Task } from "../../../src/core/tasks/task.ts";

type Seen = Omit<Partial<Task>, "capabilities"> & { readonly id: string; readonly capabilities?: readonly string[] };

/** A runtime that has finished these tasks, newest first, in pages of 1,000. */
function runtimeOf(
  finished: readonly Seen[],
  { agents = [], tasks = [] }: { agents?: readonly Partial<AgentView>[]; tasks?: readonly Seen[] } = {},
): Parameters<typeof advise>[0] & { readonly pages: number[] } {
  const pages: number[] = [];
  return {
    pages,
    agents: new Map(agents.map((agent) => [agent.id ?? "", { enforcement: {}, ...agent } as AgentView])),
    tasks: new Map(tasks.map((task) => [task.id, task as unknown as TaskView])),
    archive: {
      list({ after = "0", limit = 100 } = {}) {
        const from = Number(after);
        const rows = finished.slice(from, from + limit);
        pages.push(rows.length);
        const next = from + limit < finished.length ? String(from + limit) : undefined;
        const row = (task: Seen) => ({ kind: "task" as const, id: task.id, at: 0, text: JSON.stringify(task) });
        return Promise.resolve({ rows: rows.map(row), next });
      },
    } as Partial<Runtime["archive"]> as Runtime["archive"],
  };
}

const done = (count: number, milliseconds: (at: number) => number, more: Partial<Task> = {}): Seen[] =>
  Array.from({ length: count }, (_none, at) => ({
    id: `t${String(at)}`,
    capabilities: ["resize"],
    status: "completed",
    startedAt: 1_000,
    finishedAt: 1_000 + milliseconds(at),
    ...more,
  }));

describe("advice", () => {
  it("suggests a timeout from what attempts take, where nobody has set one", async () => {
    const advice = await advise(runtimeOf(done(200, (at) => at + 1)));
    assert.deepEqual(
      advice.map(({ message: _, ...rest }) => rest),
      [{ code: "timeout/missing", kind: "resize", seen: 200, p99: 198, suggested: 1_000 }],
    );
    const [slow] = await advise(runtimeOf(done(100, () => 4_321, { type: "thumbnail" })));
    assert.ok(slow?.code === "timeout/missing");
    assert.deepEqual([slow.kind, slow.suggested], ["thumbnail", 8_700]);
    assert.match(slow.message, /thumbnail has no timeout of its own; 99 of 100 attempts take at most 4321 ms: 8700/u);
  });

  it("says when a timeout is tight, and nothing when it is wide or too little was seen", async () => {
    const [tight] = await advise(runtimeOf(done(50, () => 900, { timeout: 1_000 })));
    assert.ok(tight?.code === "timeout/tight");
    assert.deepEqual([tight.timeout, tight.p99, tight.suggested], [1_000, 900, 1_800]);
    assert.deepEqual(await advise(runtimeOf(done(50, () => 900, { terms: { timeout: 2_000 } }))), []);
    assert.deepEqual(await advise(runtimeOf(done(19, () => 900))), []);
    assert.deepEqual(await advise(runtimeOf(done(50, () => 900, { status: "failed" }))), []);
  });

  it("names the longest task of a kind that kept no checkpoint, finished or not", async () => {
    const long = [
      ...done(1, () => 31_000, { id: "a", timeout: 1e6 }),
      ...done(1, () => 45_000, { id: "b", timeout: 1e6 }),
      ...done(1, () => 99_000, { id: "c", timeout: 1e6, checkpoints: 2 }),
      ...done(1, () => 29_000, { id: "d", timeout: 1e6, type: "short" }),
    ];
    const running = { id: "r", capabilities: ["train"], status: "running", startedAt: Date.now() - 60_000 } as const;
    const queued = { id: "q", capabilities: ["rest"], status: "queued", startedAt: Date.now() - 60_000 } as const;
    const advice = await advise(runtimeOf(long, { tasks: [running, queued] }));
    assert.deepEqual(
      advice.map((one) => [one.code, "task" in one && one.task, "kind" in one && one.kind]),
      [
        ["checkpoint/missing", "b", "resize"],
        ["checkpoint/missing", "r", "train"],
      ],
    );
  });

  it("warns of agents without limits, with limits that hold nothing, and of many domains", async () => {
    const advice = await advise(
      runtimeOf([], {
        agents: [
          { id: "a@1.0.0", capabilities: ["code.write", "code.review@1.0.0"] },
          {
            id: "b@1.0.0",
            capabilities: ["code", "mail.send"],
            resourceLimits: { maxMemoryMB: 1 },
            enforcement: { maxMemoryMB: { state: "not enforceable here", reason: "why" } },
          },
        ],
      }),
    );
    assert.deepEqual(
      advice.map((one) => [one.code, "agent" in one && one.agent]),
      [
        ["agent/no-resource-limits", "a@1.0.0"],
        ["agent/limit-unenforced", "b@1.0.0"],
        ["agent/many-domains", "b@1.0.0"],
      ],
    );
  });

  it("reads as many of the latest tasks as it is told, page by page", async () => {
    const runtime = runtimeOf(done(5_000, () => 5));
    await advise(runtime, { tasks: 1_500 });
    assert.deepEqual(runtime.pages, [1_000, 500]);
  });
});
