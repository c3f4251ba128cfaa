/** What a page listens to: on, once, off, and listeners that throw. */
import assert from "node:assert/strict";
import { afterEach, beforeEach, describe, it } from "node:test";
import mitt from "mitt";
import { hearing, listenTo, type Emitter } from "../../../src/client/events.ts";
import type { Runtime } from "../../../src/client/runtime.ts";
import type { PageFrame } from "../../../src/core/protocol.ts";
import type { CoreEvent } from "../../../src/core/runtime.ts";

const acked = (id: string): CoreEvent => ({ type: "mail.acked", at: 1, data: { id, recipient: "r", delivery: 1 } });

describe("a page that listens", () => {
  const global = globalThis as { reportError: unknown };
  const { reportError } = global;
  const reported: unknown[] = [];
  let said: PageFrame[] = [];
  let heard: string[] = [];
  let runtime: Pick<Runtime, "on" | "once" | "off">;
  let tell: (...ids: readonly string[]) => void;

  beforeEach(() => {
    global.reportError = (error: unknown) => reported.push(error);
    const emitter: Emitter = mitt();
    const open = new Map([["a", { id: "a", requestedAt: 1, payload: 1 }]]);
    const state = { approvals: open };
    const store = { getState: () => state, subscribe: () => () => undefined } as unknown as Runtime["store"];
    [said, heard] = [[], []];
    runtime = listenTo(emitter, { say: (frame) => void said.push(frame) }, store);
    tell = (...ids) => {
      hearing(emitter).onEvents(ids.map(acked));
    };
  });
  afterEach(() => {
    global.reportError = reportError;
    reported.length = 0;
  });

  it("hears until it ends that, by what `on` gave or by `off`, and the host knows whether anybody listens", () => {
    const first = ({ id }: { id: string }): void => void heard.push(`first ${id}`);
    const second = ({ id }: { id: string }): void => void heard.push(`second ${id}`);
    const end = runtime.on("mail.acked", first);
    runtime.on("mail.acked", second);
    runtime.off("mail.sent", second);
    tell("a");
    end();
    end();
    tell("b");
    runtime.off("mail.acked", second);
    tell("c");
    assert.deepEqual(heard, ["first a", "second a", "second b"]);
    assert.deepEqual(said, [
      { kind: "listen", on: true },
      { kind: "listen", on: false },
    ]);
  });

  it("hears once, or not at all when that was ended before", () => {
    const listener = ({ id }: { id: string }): void => void heard.push(id);
    runtime.once("mail.acked", listener);
    tell("a", "b");
    runtime.once("mail.acked", listener);
    runtime.off("mail.acked", listener);
    runtime.once("mail.acked", listener)();
    tell("c");
    assert.deepEqual(heard, ["a"]);
    assert.equal(said.at(-1)?.kind === "listen" && said.at(-1), said.at(-1));
    assert.deepEqual(said.at(-1), { kind: "listen", on: false });
  });

  it("hears though another listener throws, whose error is reported", () => {
    runtime.once("mail.acked", () => {
      throw new Error("once");
    });
    runtime.on("event", () => {
      throw new Error("mine");
    });
    runtime.on("mail.acked", ({ id }) => heard.push(id));
    runtime.on("event", ({ type }) => heard.push(type));
    tell("a", "b");
    assert.deepEqual(heard, ["a", "mail.acked", "b", "mail.acked"]);
    assert.deepEqual(
      reported.map((error) => (error as Error).message),
      ["once", "mine", "mine"],
    );
  });

  it("is told of each open approval, or by `once` of the first, without asking for the journal's events", async () => {
    const listener = ({ id }: { id: string }): void => void heard.push(id);
    runtime.on("human_approval_request", listener);
    const gone = ({ id }: { id: string }): void => void heard.push(`gone ${id}`);
    runtime.on("human_approval_request", gone);
    runtime.off("human_approval_request", gone);
    const once = new Promise<string>((resolve) => {
      runtime.once("human_approval_request", ({ id }) => {
        resolve(id);
      });
    });
    assert.equal(await once, "a");
    assert.deepEqual(heard, ["a"]);
    assert.deepEqual(said, []);
  });
});
