/** What a page calls for messages and the audit log, over a whole host. */
import assert from "node:assert/strict";
import { afterEach, describe, it } from "node:test";
import { exportLog, onAnchor, verifyLog } from "../../../src/client/audit.ts";
import { createCommands, type CommandParts } from "../../../src/client/commands.ts";
import type { Connection } from "../../../src/client/connection.ts";
import * as calls from "../../../src/client/mail.ts";
import type { ApprovalView } from "../../../src/client/runtime.ts";
import type { AuditHead } from "../../../src/core/audit/verify.ts";
import { decodeError } from "../../../src/core/errors.ts";
import type { ReceivedMessage } from "../../../src/core/mail/exchange.ts";
import { MessageType } from "../../../src/core/mail/message-type.ts";
import type { PageRequest, Query } from "../../../src/core/protocol.ts";
import { closeSites, openSite, type Site } from "./site.ts";

afterEach(closeSites);

/** The page's connection, as far as these calls use it. */
function connectionTo(site: Site): Connection {
  const settling = new Map<string, Promise<void>>();
  let last = Promise.resolve();
  const decide = async (command: PageRequest): Promise<void> => {
    const { refused } = await site.command(command);
    const [[, error] = []] = refused;
    if (error) throw decodeError(error);
  };
  let asking: Promise<unknown> = Promise.resolve();
  return {
    command(id: string, command: PageRequest) {
      const settled = last.then(() => decide(command)); // the site has one page that says one thing at a time
      last = settled.catch(() => undefined);
      settling.set(id, settled);
    },
    outbox: { settled: (id: string) => settling.get(id) },
    ask(query: Query) {
      const answer = asking.then(() => site.ask(query));
      asking = answer.catch(() => undefined);
      return answer;
    },
  } as unknown as Connection;
}

const none = {
  approvals: (): ReadonlyMap<string, ApprovalView> => new Map(),
  answer: (): void => assert.fail("nothing is to be answered"),
};

describe("the page's messages", () => {
  it("are sent, received by a handler, given back when it throws, and given up in the end", async () => {
    const site = await openSite();
    const connection = connectionTo(site);
    const seen: string[] = [];
    const reported: unknown[] = [];
    const { reportError: before } = globalThis as { reportError?: unknown };
    Object.assign(globalThis, { reportError: (error: unknown) => reported.push(error) });
    const end = await calls.receive(connection, "inbox", (message: ReceivedMessage) => {
      const { do: what } = message.payload as { do: string };
      seen.push(`${what}#${String(message.delivery)}`);
      if (what === "fail") throw new Error("not today");
    });
    const post = (what: string, more: object = {}): Promise<string> =>
      calls.sendMessage(connection, none, {
        type: MessageType.CONTROL,
        recipient: "inbox",
        payload: { action: "go", do: what },
        ...more,
      });
    await post("work");
    const id = await post("fail", { maxDeliveries: 2, backoff: 1, id: "f" });
    await post("fail", { id: "f" });
    await site.until(() => site.events().some(({ type }) => type === "mail.buried"));
    end();
    await post("last");
    Object.assign(globalThis, { reportError: before });
    assert.deepEqual(seen.slice(0, 3), ["work#1", "fail#1", "fail#2"]);
    assert.equal(reported.length, 2);
    const [dead, ...others] = await calls.deadMessages(connection, { recipient: "inbox" });
    assert.deepEqual([dead?.id, dead?.cause, dead?.payload], [id, "max-deliveries", { action: "go", do: "fail" }]);
    assert.deepEqual(others, []);
    await calls.replay(connection, id);
    assert.deepEqual(await calls.deadMessages(connection), []);
    await assert.rejects(calls.replay(connection, id), { code: "message/unknown" });
  });

  it("go by topics, and are of types that were defined", async () => {
    const connection = connectionTo(await openSite());
    const news = { type: "order", topic: "orders", payload: { id: 7 } };
    await assert.rejects(calls.sendMessage(connection, none, news), { code: "message/type-unknown" });
    await calls.define(connection, "order", { type: "object", required: ["id"] });
    await assert.rejects(calls.sendMessage(connection, none, { ...news, payload: {} }), { code: "message/invalid" });
    await assert.rejects(calls.sendMessage(connection, none, news), { code: "message/unroutable" });
    await calls.subscribe(connection, "orders", "shop");
    await calls.sendMessage(connection, none, news);
    const [got] = await calls.take(connection, "shop");
    assert.deepEqual(got?.payload, { id: 7 });
    await got.nak(0);
    const [again] = await calls.take(connection, "shop");
    await assert.rejects(got.ack(), { code: "message/stale" });
    await again?.extend();
    await again?.terminate("sold out");
    assert.equal((await calls.deadMessages(connection))[0]?.reason, "sold out");
    await calls.unsubscribe(connection, "orders", "shop");
    await assert.rejects(calls.sendMessage(connection, none, news), { code: "message/unroutable" });
    await assert.rejects(calls.take(connection, "shop", { max: 0 }), { code: "command/invalid" });
  });

  it("answer approvals, by the one way to decide", async () => {
    const site = await openSite();
    const connection = connectionTo(site);
    const ask = (id: string): object => ({ id, type: "approval", message: "ok?", approvers: ["ada"] });
    const definition = { id: "gate", nodes: [ask("one"), ask("two")], edges: [] };
    await site.command(
      { type: "workflow.register", data: { text: JSON.stringify(definition) } },
      { type: "execution.start", data: { id: "run", workflow: "gate", input: "null" } },
    );
    const asked = site.events().flatMap(({ type, data }) => (type === "approval.requested" ? [data] : []));
    const views = new Map(
      asked.map(({ id, parent }) => [id, { id, execution: parent?.execution, node: parent?.node } as ApprovalView]),
    );
    const answering = {
      approvals: () => views,
      answer: createCommands({ connection } as CommandParts).answer,
    };
    const answer = (recipient: string | undefined, payload: object, more: object = {}): Promise<string> =>
      calls.sendMessage(connection, answering, {
        type: MessageType.HUMAN_APPROVAL_RESPONSE,
        payload,
        ...(recipient !== undefined && { recipient }),
        ...more,
      });
    const yes = { approved: true, approver: "ada" };
    await assert.rejects(answer("run", yes), {
      code: "approval/unknown",
      detail: { recipient: "run", open: [...views.keys()] },
    });
    await assert.rejects(answer("elsewhere", yes), { code: "approval/closed" }, "the host refuses it");
    await assert.rejects(answer("run/one", { ...yes, approver: "eve" }), { code: "approval/forbidden" });
    await assert.rejects(answer("run/one", { approved: "yes", approver: "ada" }), { code: "command/invalid" });
    const first = await answer("run/one", { ...yes, reason: "fine" });
    views.delete(first);
    await answer("run", { approved: false, approver: "ada" });
    await assert.rejects(answer(undefined, yes, { correlation: first }), { code: "approval/closed" });
    const decided = site.events().flatMap(({ type, data }) => (type === "approval.decided" ? [data] : []));
    assert.deepEqual(
      decided.map(({ approved, by, reason }) => [approved, by, reason]),
      [
        [true, "ada", "fine"],
        [false, "ada", undefined],
      ],
    );
    assert.equal(site.events().filter(({ type }) => type === "mail.sent").length, 0);
    const lines = ((await site.ask({ type: "audit", after: 0 })) as string[]).join("\n");
    assert.match(lines, /"do":"approval.answer"[^}]*"by":"eve"[^}]*\},"refused":"approval\/forbidden"/u);
    assert.match(lines, /"do":"approval.answer"[^}]*\},"refused":"approval\/closed"/u);
  });
});

describe("the page's audit log", () => {
  it("is exported as a file, verified, and its head told when it is another one", async () => {
    const site = await openSite();
    const connection = connectionTo(site);
    const heads: AuditHead[] = [];
    const end = await onAnchor(connection, (head) => heads.push(head));
    end();
    await site.command({ type: "task.cancel", data: { id: "t", reason: "why" } });
    const text = await (await exportLog(connection)).text();
    assert.ok(text.endsWith("}}\n") && text.includes('"reason":"why"'));
    const verdict = await verifyLog(connection, heads);
    assert.ok(verdict.ok && verdict.lines === text.split("\n").length - 2);
    assert.equal(heads.length, 1);
    const forged = heads.map(({ n }) => ({ n, hash: "0" }));
    assert.deepEqual(await verifyLog(connection, forged), { ok: false, line: 1, problem: "not what was anchored" });
    await assert.rejects(
      onAnchor(connection, () => undefined, { every: 1 }),
      { code: "command/invalid" },
    );
  });
});
