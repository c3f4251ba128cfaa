/** The table "What an agent may do" of docs/agents.md, as far as the host holds it; cells hold the rest (test/e2e/cells). */
import assert from "node:assert/strict";
import { afterEach, describe, it } from "node:test";
import { closeSites, MANIFEST, openRunning, openSite } from "./site.ts";

afterEach(closeSites);

const OF = { task: "t", attempt: 1 };

describe("an agent's permissions", { timeout: 20_000 }, () => {
  it("are the words that something enforces: any other is refused, by name", async () => {
    const site = await openSite();
    for (const word of ["storage", "subAgents", "permissions", "messages"]) {
      const { refused } = await site.command({
        type: "agent.register",
        data: { ...MANIFEST, [word]: ["all"] },
      });
      const [[, error] = []] = refused;
      assert.equal(error?.code, "command/invalid", word);
      assert.match(JSON.stringify(error), new RegExp(word, "u"));
    }
    assert.equal(
      site.events().some(({ type }) => type === "agent.registered"),
      false,
    );
  });

  it("name hosts exactly: no pattern, no path, no other scheme", async () => {
    const site = await openSite();
    for (const host of [
      "*",
      "https://*.example",
      "example.com",
      "https://a.example/x",
      "wss://a.example",
      "https:",
      "'self'",
      "https://a;script-src",
    ]) {
      const { refused } = await site.command({ type: "agent.register", data: { ...MANIFEST, network: [host] } });
      assert.equal(refused[0]?.[1].code, "command/invalid", host);
    }
  });

  it("let it make no task, start no workflow, register nothing and answer no approval: it has no words for that", async () => {
    const commands = [
      { kind: "command", command: { type: "task.create", data: { id: "mine", capabilities: ["work"], input: "1" } } },
      {
        kind: "commands",
        first: 1,
        acknowledged: 0,
        commands: [{ type: "execution.start", data: { id: "e", workflow: "w" } }],
      },
      { type: "agent.register", data: { ...MANIFEST, name: "b" } },
      {
        kind: "mail",
        ...OF,
        call: 1,
        ask: { type: "task.create", data: { id: "mine", capabilities: ["work"], input: "1" } },
      },
      { kind: "mail", ...OF, call: 1, ask: { type: "approval.answer", data: { id: "a", approved: true } } },
      { kind: "query", call: 1, query: { type: "secret.list" } },
    ];
    for (const frame of commands) {
      const site = await openRunning("t");
      const before = site.events().length;
      site.worker(frame);
      await site.until(() => site.events().some(({ type }) => type === "link.left"));
      const kinds = new Set(
        site
          .events()
          .slice(before)
          .map(({ type }) => type),
      );
      for (const made of ["task.created", "execution.started", "agent.registered", "approval.answered"])
        assert.equal(kinds.has(made as never), false, `${made} by ${JSON.stringify(frame)}`);
      const left = site.events().find(({ type }) => type === "link.left");
      assert.match(JSON.stringify(left), /agent\/message-invalid/u);
    }
  });

  it("give it messages of its own mailbox and of its task's, and its own name as the sender", async () => {
    const site = await openRunning("t");
    const data = { id: "m", type: "status_update", recipient: "inbox", payload: '{"status":"ok"}' };
    const ask = async (request: object): Promise<unknown> => {
      site.worker({ kind: "mail", ...OF, call: 1, ask: request });
      return site.ordered("answer");
    };
    await ask({ type: "mail.send", data });
    const sent = site.events().find(({ type }) => type === "mail.sent");
    assert.match(JSON.stringify(sent), /agent:a/u);
    await site.command({ type: "mail.send", data: { ...data, id: "other", recipient: "agent:b" } });
    const taken = await ask({ type: "mail.take", data: { recipient: "agent", max: 1, wait: 0 } });
    assert.deepEqual((taken as { mail?: unknown }).mail, []);
  });

  it("give it the bytes of its own run alone", async () => {
    const site = await openRunning("t");
    site.worker({ kind: "write", ...OF, call: 1, bytes: new TextEncoder().encode("mine") });
    const { ref } = await site.ordered("answer");
    assert.ok(ref);
    await site.command({ type: "task.create", data: { id: "u", capabilities: ["work"], input: "1" } });
    const { task, attempt } = await site.ordered("run");
    assert.equal(task, "u");
    site.worker({ kind: "read", task, attempt, call: 2, ref });
    assert.equal((await site.ordered("answer")).error?.code, "blob/unknown");
  });
});
