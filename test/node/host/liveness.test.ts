/** Signs of life, on mocked time: an attempt is called idle when its time without one is over, and only then. */
import assert from "node:assert/strict";
import { afterEach, beforeEach, describe, it, mock } from "node:test";
import type { CoreCommand, CoreEvent } from "../../../src/core/runtime.ts";
import type { Task } from "../../../src/core/tasks/task.ts";
import { beatOf, createLiveness, type Liveness } from "../../../src/workers/liveness.ts";

const taskWith = (idle?: number, id = "t"): Task => ({ id, ...(idle && { timeouts: { idle } }) }) as Task;

describe("liveness", () => {
  const submitted: CoreCommand[] = [];
  let liveness: Liveness;
  const told = (): unknown[] => submitted.map(({ type, data }) => [type, data]);
  const idleOf = (id: string, attempt: number): unknown => ["task.idle", { id, attempt }];

  beforeEach(() => {
    mock.timers.enable({ apis: ["setTimeout", "Date"] });
    submitted.length = 0;
    const submit = (commands: readonly CoreCommand[]): [] => {
      submitted.push(...commands);
      return [];
    };
    liveness = createLiveness({ submit }, Date.now);
  });
  afterEach(() => {
    mock.timers.reset();
  });

  it("says once that an attempt is idle, exactly when its time is over", () => {
    liveness.watch(taskWith(300), 2);
    mock.timers.tick(299);
    assert.deepEqual(told(), []);
    mock.timers.tick(1);
    assert.deepEqual(told(), [idleOf("t", 2)]);
    mock.timers.tick(10_000);
    assert.equal(submitted.length, 1);
  });

  it("counts from the latest sign of that attempt", () => {
    liveness.watch(taskWith(300), 2);
    for (let beat = 0; beat < 10; beat++) {
      mock.timers.tick(200);
      liveness.sign("t", 2);
      liveness.sign("t", 1);
      liveness.sign("other", 2);
    }
    mock.timers.tick(299);
    liveness.sign("t", 1);
    assert.deepEqual(told(), []);
    mock.timers.tick(1);
    assert.deepEqual(told(), [idleOf("t", 2)]);
  });

  it("watches nobody without an idle time, nor attempts that are over", () => {
    const ends = ["task.completed", "task.failed", "task.interrupted", "task.cancelled"] as const;
    liveness.watch(taskWith(undefined, "free"), 1);
    for (const type of ends) liveness.watch(taskWith(300, type), 1);
    for (const type of ends) liveness.follow({ type, data: { id: type, attempt: 1 }, at: 0 } as CoreEvent);
    liveness.watch(taskWith(300, "again"), 2);
    liveness.follow({ type: "task.failed", data: { id: "again", attempt: 1 }, at: 0 } as CoreEvent);
    mock.timers.tick(1_000);
    assert.deepEqual(told(), [idleOf("again", 2)]);
  });

  it("gives the whole time again when the machine slept: nobody could show anything meanwhile", () => {
    liveness.watch(taskWith(300), 1);
    mock.timers.setTime(60_000); // the timer rings late
    mock.timers.tick(0);
    assert.deepEqual(told(), []);
    mock.timers.tick(299);
    assert.deepEqual(told(), []);
    mock.timers.tick(1);
    assert.deepEqual(told(), [idleOf("t", 1)]);
  });

  it("waits for times that are longer than any timer", () => {
    liveness.watch(taskWith(31_000_000_000), 1);
    for (let ring = 0; ring < 15; ring++) mock.timers.tick(2_000_000_000);
    mock.timers.tick(999_999_999);
    assert.deepEqual(told(), []);
    mock.timers.tick(1);
    assert.equal(submitted.length, 1);
  });

  it("asks for several beats within an idle time, and for one a second otherwise", () => {
    assert.deepEqual(
      [undefined, 1, 400, 2_000, 60_000].map((idle) => beatOf(taskWith(idle))),
      [1_000, 1, 100, 500, 1_000],
    );
  });

  it("is silent after its end", () => {
    liveness.watch(taskWith(300), 1);
    liveness.stop();
    mock.timers.tick(1_000);
    assert.deepEqual(told(), []);
  });
});
