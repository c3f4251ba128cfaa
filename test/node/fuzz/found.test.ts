/** What the fuzzer has found: each of these broke something once. */
import assert from "node:assert/strict";
import { afterEach, describe, it } from "node:test";
import { calendar, nextFireTimes } from "../../../src/calendar/cron.ts";
import { openEngine } from "../../../src/core/engine.ts";
import { encodeError, plainError, type RuntimeError } from "../../../src/core/errors.ts";
import { createMemoryJournal } from "../../../src/plugins/journals/memory.ts";
import { closeSites, openRunning, openSite } from "../host/site.ts";

afterEach(closeSites);

/** Objects that hold each other twice over a hundred levels: as JSON they have no end. */
function endless(): unknown {
  let value: unknown = 1;
  for (let level = 0; level < 100; level++) value = { a: value, b: value };
  return value;
}

describe("a value that is endless as JSON", () => {
  it("can't hold the host up in the error of a worker", async () => {
    const site = await openRunning("t");
    const error = { name: "Error", message: "m", code: "c", detail: { more: endless() } };
    site.worker({ kind: "failed", task: "t", attempt: 1, error });
    await site.ordered("settled");
    site.crash({ name: "Error", message: "m", code: "c", detail: { more: endless() } });
    await site.command({ type: "task.cancel", data: { id: "t" } });
  });

  it("can't hold the host up in a question or a command of a page", async () => {
    const site = await openSite();
    await assert.rejects(site.ask({ type: "secret.set", name: endless() }), {
      code: "command/invalid",
    });
    const { refused } = await site.command({ type: "task.cancel", data: { id: endless() } } as never);
    assert.deepEqual(
      refused.map(([, { code, detail }]) => [code, detail?.["at"]]),
      [["command/invalid", "data.id"]],
    );
  });

  it("is cut in an error that comes from a worker, wherever it is", () => {
    const given = { name: "Error", message: "m", code: "c", detail: { big: 1n }, cause: { detail: endless() } };
    assert.deepEqual(plainError(given), { name: "Error", message: "m", code: "c" });
    assert.equal(plainError({ message: endless(), code: endless() }).code, "unknown");
    assert.equal(typeof plainError(endless()).message, "string");
    assert.equal(encodeError(Object.assign(new Error("m"), { more: endless() })).message, "m");
  });
});

describe("a post of a worker that has holes", () => {
  it("ends the worker, and nothing else", async () => {
    const site = await openRunning("t");
    site.worker(...(new Array(3) as unknown[]));
    assert.equal((await site.frame("kill")).link, "l1");
    const { refused } = await site.command({ type: "task.create", data: { id: "u", capabilities: ["b"], input: "1" } });
    assert.deepEqual(refused, []);
  });
});

describe("a refusal of something very long", () => {
  it("still tells where it was", async () => {
    const site = await openSite();
    const long = "x".repeat(8_000);
    const { refused } = await site.command(
      { type: "approval.answer", data: { id: long, approved: true, by: "ann" } },
      { type: long, data: {} } as never,
      { type: "workflow.register", data: { text: JSON.stringify({ id: "w", nodes: "\ud800".repeat(5_000) }) } },
    );
    assert.deepEqual(
      refused.map(([, { code, detail }]) => [code, Object.keys(detail ?? {})]),
      [
        ["approval/closed", ["id"]],
        ["command/invalid", ["at", "reason"]],
        ["workflow/invalid", ["problems"]],
      ],
    );
  });

  it("tells whose claim isn't proved", async () => {
    const site = await openSite();
    await assert.rejects(site.ask({ type: "identify", token: "t" }), ({ code, detail }: RuntimeError) => {
      return code === "approval/untrusted" && Object.keys(detail).length > 0;
    });
  });
});

describe("the end of time", () => {
  it("has no moments behind it, and breaks nothing", async () => {
    for (const at of [8.64e15, 8.64e15 + 1, 253_402_300_800_000])
      assert.equal(calendar.next("* * * * *", "UTC", at), undefined);
    assert.equal(calendar.last("0 0 1 1 *", "UTC", 8.64e15), Date.UTC(9999, 0, 1));
    assert.deepEqual(nextFireTimes("@daily", { from: 8.64e15 }), []);
    const site = await openSite();
    const schedule = { id: "s", workflow: "w", cron: "@daily", startAt: 8.64e15 };
    const { refused } = await site.command(
      { type: "workflow.register", data: { text: '{"id":"w","nodes":[{"id":"n","type":"decision"}]}' } },
      { type: "schedule.set", data: schedule },
    );
    assert.deepEqual(
      refused.filter(([, { code }]) => code === "unknown"),
      [],
    );
  });
});

describe("a journal whose seals are right, and whose content nobody wrote", () => {
  const texts = [
    "{}",
    "[null]",
    '[{"type":"host.started","data":{}}]',
    '[{"type":"task.completed","data":null,"at":1}]',
    '[{"type":"agent.registered","data":{"name":"a","version":"1.0.0"},"at":1},{"type":"task.created","data":{"id":"t"},"at":1}]',
  ];
  for (const text of texts)
    it(`is refused with its place: ${text.slice(0, 40)}`, async () => {
      const journal = createMemoryJournal();
      await journal.open();
      await journal.append(0, { from: 1, to: 1, at: 1, text, archive: [] });
      const options = { journal, clock: () => 1, random: () => 0, ids: () => "id", defer: () => undefined };
      await assert.rejects(openEngine(options), ({ code, detail }: RuntimeError) => {
        return code === "journal/corrupt" && detail["seq"] === 1 && typeof detail["reason"] === "string";
      });
    });
});
