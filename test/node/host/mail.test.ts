/** Messages through a whole host: a page that waits for them, an agent that sends, takes and goes, and who may say what. */
import assert from "node:assert/strict";
import { afterEach, describe, it } from "node:test";
import type { Delivery, MailAsk } from "../../../src/core/mail/delivery.ts";
import { mailbox } from "../../../src/workers/mailbox.ts";
import type { AgentContext } from "../../../src/core/plugin/definition.ts";
import type { PageRequest } from "../../../src/core/protocol.ts";
import { decodeError } from "../../../src/core/errors.ts";
import { createMemoryDisk } from "../../../src/plugins/journals/memory-disk.ts";
import { closeSites, openRunning, openSite, type Site, type SiteOptions } from "./site.ts";

afterEach(closeSites);

const send = (id: string, recipient: string, more: object = {}): PageRequest => ({
  type: "mail.send",
  data: { id, recipient, type: "control", payload: '{"action":"go"}', ...more },
});

const take = async (site: Site, recipient: string, wait = 0, max = 1): Promise<Delivery[]> =>
  (await site.ask({ type: "mail.take", recipient, max, wait })) as Delivery[];

/** The attempt's context as an agent has it, over the site's worker. */
function contextOf(site: Site): AgentContext {
  let calls = 100;
  const call = async (frame: object): Promise<unknown> => {
    site.worker({ ...frame, call: ++calls });
    const answer = await site.ordered("answer");
    assert.equal(answer.call, calls);
    if (answer.error) throw decodeError(answer.error);
    return answer;
  };
  return { call, task: { id: "t1", attempt: 1 } } as unknown as AgentContext;
}

describe("messages through a host", () => {
  it("reach a page that waits for them, as soon as they are durable", async () => {
    const site = await openSite();
    const waiting = take(site, "inbox", 60_000);
    await site.command(send("other", "elsewhere"));
    await site.command(send("m", "inbox", { priority: "high" }));
    const [got] = await waiting;
    assert.deepEqual([got?.id, got?.delivery, got?.sender, got?.payload], ["m", 1, "page", '{"action":"go"}']);
    assert.ok(site.events().some(({ type, data }) => type === "mail.delivered" && data.consumer === "page:s1"));
    assert.deepEqual(await take(site, "inbox"), []);
    const { refused } = await site.command({ type: "mail.ack", data: { id: "m", delivery: 1 } });
    assert.deepEqual(refused, []);
    const again = await site.command({ type: "mail.ack", data: { id: "m", delivery: 1 } });
    assert.deepEqual(again.refused, [], "the same answer of the same page");
    const other = await site.command({ type: "mail.nak", data: { id: "m", delivery: 1 } });
    assert.equal(other.refused[0]?.[1].code, "message/stale");
  });

  it("are given out once, when several wait and several come", async () => {
    const site = await openSite();
    const waiting = Promise.all([1, 2, 3].map(() => take(site, "inbox", 300, 2)));
    await site.command(...[1, 2, 3].map((n) => send(`m${String(n)}`, "inbox")));
    const ids = (await waiting).flat().map(({ id }) => id);
    assert.deepEqual(ids.sort(), ["m1", "m2", "m3"]);
  });

  it("go between agents, pages and tasks, from whom the host says", async () => {
    const site = await openRunning("t1");
    const box = mailbox(contextOf(site));
    const id = await box.send({
      recipient: "inbox",
      type: "status_update",
      payload: { status: "half" },
      correlation: "t1",
    });
    const [news] = await take(site, "inbox");
    assert.deepEqual([news?.id, news?.sender, news?.correlation], [id, "agent:a", "t1"]);
    await site.command(send("to-agent", "agent:a"), send("to-task", "task:t1"), send("foreign", "agent:b"));
    const [first, ...none] = await box.take({ max: 5 });
    assert.deepEqual([first?.id, first?.payload, none], ["to-agent", { action: "go" }, []]);
    const [second] = await box.take({ of: "task" });
    assert.equal(second?.id, "to-task");
    await first?.extend();
    await first?.ack();
    await first?.ack();
    await assert.rejects(first?.terminate() ?? Promise.resolve(), { code: "message/stale" });
    await second.terminate("not mine");
    const dead = (await site.ask({ type: "mail.dead" })) as { id: string; reason: string }[];
    assert.deepEqual(
      dead.map(({ id: one, reason }) => [one, reason]),
      [["to-task", "not mine"]],
    );
    assert.deepEqual(await site.ask({ type: "mail.dead", recipient: "inbox" }), []);
  });

  it("of agents are not answers of people, and not about what they don't have; that is in the audit log", async () => {
    const site = await openRunning("t1");
    const context = contextOf(site);
    const box = mailbox(context);
    const answer = { recipient: "x", type: "human_approval_response", payload: { approved: true, approver: "ada" } };
    await assert.rejects(box.send(answer), { code: "approval/forbidden" });
    await site.command(send("m", "inbox"));
    await take(site, "inbox");
    const ask: MailAsk = { type: "mail.ack", data: { id: "m", delivery: 1 } };
    const frame = { kind: "mail", task: "t1", attempt: 1, ask };
    await assert.rejects((context.call as (frame: object) => Promise<unknown>)(frame), { code: "message/stale" });
    await site.command(send("n", "inbox"));
    const lines = ((await site.ask({ type: "audit", after: 0 })) as string[]).join("\n");
    assert.match(lines, /"by":"link:l1","do":"mail.send"[^}]*\}?,?[^}]*"refused":"approval\/forbidden"/u);
    assert.match(lines, /"by":"link:l1","do":"mail.ack","id":"m"[^]*?"refused":"message\/stale"/u);
  });

  it("are from whom the host knows: no page is an agent, a task, or somebody who isn't there", async () => {
    const identify: SiteOptions["identify"] = ({ token }) =>
      Promise.resolve(token ? { id: token, roles: [] } : undefined);
    const site = await openSite({ identify });
    const sent = async (more: object): Promise<unknown> => {
      const { refused } = await site.command(send(`m${String(Math.random())}`, "inbox", more));
      if (refused[0]) return refused[0][1].code;
      const [got] = await take(site, "inbox");
      return [got?.sender, got?.level];
    };
    for (const sender of ["agent:a", "task:t1", "person:ann"])
      assert.equal(await sent({ sender }), "message/sender-reserved");
    assert.deepEqual(await sent({ sender: "dashboard" }), ["dashboard", "click"]);
    await site.ask({ type: "identify", token: "ann" });
    assert.deepEqual(await sent({}), ["person:ann", "session"]);
    assert.equal(await sent({ sender: "person:bob" }), "message/sender-reserved");
    assert.equal(await sent({ actor: { id: "bob", roles: [], level: "session" } }), "command/invalid");
    assert.equal(await sent({ type: "human_approval_response", payload: '{"approved":true}' }), "approval/forbidden");
    await site.command(send("last", "inbox"));
    const lines = ((await site.ask({ type: "audit", after: 0 })) as string[]).join("\n");
    const forged =
      /"by":"page:s1","do":"mail.send"[^}]*"sender":"agent:a"[^}]*\}[^}]*"message\/sender-reserved","why":"[^"]*agent:a/u;
    assert.match(lines, forged);
  });

  it("are acknowledged by a worker though the host has died before it said so, and by nobody else", async () => {
    for (const counted of [true, false]) {
      const disk = createMemoryDisk();
      const site = await openRunning("t1", { disk });
      await site.command(send("m", "agent:a"));
      await mailbox(contextOf(site)).take();
      const ask: MailAsk = { type: "mail.ack", data: { id: "m", delivery: 1 } };
      const frame = { kind: "mail", task: "t1", attempt: 1, call: 9, ask };
      if (counted) {
        site.worker(frame);
        await site.ordered("answer"); // which the worker never gets
      }
      await site.stop();
      const next = await openSite({ disk, session: "s2" });
      next.join();
      const other = await next.command({ type: "mail.ack", data: { id: "m", delivery: 1 } });
      assert.equal(other.refused[0]?.[1].code, "message/stale");
      next.worker(frame);
      assert.equal((await next.ordered("answer")).error, undefined);
      assert.equal(site.events().filter(({ type }) => type === "mail.acked").length, 1, "of both hosts");
      await next.stop();
    }
  });

  it("that were taken of an earlier host are delivered again, unless whoever has them comes to the next one", async (context) => {
    const disk = createMemoryDisk();
    const site = await openRunning("t1", { disk });
    const long = { ackWait: 3_600_000 };
    await site.command(send("mine", "inbox", long), send("agent's", "agent:a", long));
    await take(site, "inbox");
    await mailbox(contextOf(site)).take();
    await site.stop();
    context.mock.timers.enable({ apis: ["setTimeout"] });
    const stays = await openSite({ disk });
    stays.join();
    context.mock.timers.tick(10_000);
    assert.deepEqual([await take(stays, "inbox"), await take(stays, "agent:a")], [[], []]);
    await stays.stop();
    const other = await openSite({ disk, session: "s2" });
    context.mock.timers.tick(9_999);
    assert.deepEqual(await take(other, "inbox"), []);
    context.mock.timers.tick(1);
    const again = [...(await take(other, "inbox")), ...(await take(other, "agent:a"))];
    assert.deepEqual(
      again.map(({ id, delivery }) => [id, delivery]),
      [
        ["mine", 2],
        ["agent's", 2],
      ],
    );
    await other.stop();
  });

  it("that a worker has had when it goes are delivered to others, with the next number", async () => {
    const site = await openRunning("t1");
    await site.command(send("m", "agent:a", { ackWait: 60_000 }));
    const [had] = await mailbox(contextOf(site)).take();
    assert.equal(had?.delivery, 1);
    const waiting = take(site, "agent:a", 60_000);
    site.leave();
    const [again] = await waiting;
    assert.deepEqual([again?.id, again?.delivery], ["m", 2]);
  });
});
