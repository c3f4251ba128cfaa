/** Mailboxes over a real SharedWorker and agents in real workers: who gets what, when, how often, and what kills change. */
import { expect } from "chai";
import type { OutgoingMessage, ReceivedMessage } from "../../../src/client/mail-types.ts";
import type { Runtime } from "../../../src/client/runtime.ts";
import { MessageType } from "../../../src/core/mail/message-type.ts";
import { eventsOf, rejection } from "../../fixtures/host/page.ts";
import { ownRuntimes } from "../../fixtures/host/suite.ts";

const CLERK = "/bundled/test/fixtures/host/mail.agent.ts";

interface Got {
  readonly id: string;
  readonly delivery: number;
  readonly sender: string;
  readonly level: string;
  readonly payload: unknown;
}

describe("mailboxes", () => {
  const suite = ownRuntimes("mail");
  const url = new URL("../../fixtures/host/rerun-worker.ts", import.meta.url);
  const places = { shared: (host: string) => new SharedWorker(url, { type: "module", name: host }) };
  const connect = (): Promise<Runtime> => suite.connect({ modes: ["shared"], places });

  /** A message with a short life before it comes again. */
  const control = (id: string, recipient: string, more: Partial<OutgoingMessage> = {}): OutgoingMessage => ({
    id,
    recipient,
    type: MessageType.CONTROL,
    payload: { action: id },
    backoff: 10,
    ...more,
  });
  const begin = (page: Runtime, input: object): string => page.createTask({ capabilities: ["mail"], input });
  const work = async (page: Runtime, input: object): Promise<readonly Got[]> =>
    (await page.result(begin(page, input))) as readonly Got[];
  const named = (got: readonly Pick<Got, "id" | "delivery">[]): string[] =>
    got.map(({ id, delivery }) => `${id}#${String(delivery)}`);
  /** The next one, whenever it comes. */
  const next = async (page: Runtime, recipient: string): Promise<ReceivedMessage> => {
    for (;;) {
      const [message] = await page.messages.take(recipient, { wait: 5_000 });
      if (message) return message;
    }
  };

  it("pass messages between pages and agents, in order of importance and by key, answered in every way", async () => {
    const page = await connect();
    await page.registerAgent({ url: CLERK, workers: 2 });
    const inbox = "agent:clerk";
    await page.sendMessage(control("low", inbox, { priority: "low" }));
    for (const id of ["k1", "k2", "k3"]) await page.sendMessage(control(id, inbox, { key: "k" }));
    await page.sendMessage(control("doomed", inbox, { key: "k" }));
    await page.sendMessage(control("urgent", inbox, { priority: "urgent" }));
    const answers = { k1: ["nak", "nak"], k2: ["extend"], doomed: ["terminate"] };
    const reply = { type: "status_update", recipient: "desk", payload: { status: "begun" }, sender: "person:ann" };
    const got = await work(page, { send: [reply], take: 8, answers });
    expect(named(got).filter((one) => one !== "low#1")).to.deep.equal([
      "urgent#1",
      "k1#1",
      "k1#2",
      "k1#3",
      "k2#1",
      "k3#1",
      "doomed#1",
    ]);
    expect(got[0]).to.deep.include({ id: "urgent", sender: "page", level: "click", payload: { action: "urgent" } });
    const told = await next(page, "desk");
    expect(told).to.deep.include({ sender: "agent:clerk", level: "agent", payload: { status: "begun" } });
    await told.ack();
    const [dead, ...others] = await page.messages.deadLetters({ recipient: inbox });
    expect(others).to.have.length(0);
    expect(dead).to.deep.include({ id: "doomed", cause: "terminated", reason: "not for me" });
    await page.messages.replay("doomed");
    expect((await work(page, { take: 1 }))[0]).to.deep.include({ delivery: 1, payload: { action: "doomed" } });

    const listening = begin(page, { of: "task", take: 1 });
    await work(page, { send: [control("between", `task:${listening}`)] });
    const [between] = (await page.result(listening)) as readonly Got[];
    expect(between, "from one worker to another").to.deep.include({ id: "between", sender: "agent:clerk" });
  });

  it("copy what is for a topic, refuse what nobody may say, and bury what has expired", async () => {
    const page = await connect();
    const { messages } = page;
    expect((await rejection(page.sendMessage(control("a", "x", { sender: "agent:clerk" })))).code).to.equal(
      "message/sender-reserved",
    );
    const news = { type: "status_update", topic: "news", payload: { status: "up" } };
    expect((await rejection(page.sendMessage(news))).code).to.equal("message/unroutable");
    for (const recipient of ["ann", "bob"]) await messages.subscribe("news", recipient);
    const other = await connect();
    await other.identify({ id: "eve" });
    await other.sendMessage(news);
    for (const recipient of ["ann", "bob"]) {
      const copy = await next(page, recipient);
      expect(copy).to.deep.include({ topic: "news", sender: "person:eve", level: "click" });
      await copy.ack();
    }
    await page.sendMessage(control("short", "nobody", { ttl: 1 }));
    let dead = await messages.deadLetters();
    while (dead.length === 0) dead = await messages.deadLetters(); // the host's alarm sees it
    expect(dead[0]).to.include({ id: "short", cause: "expired" });
    expect(await messages.take("nobody")).to.have.length(0);
  });

  it("deliver again what a killed worker had, and what a page had that is gone", async () => {
    const page = await connect();
    await page.registerAgent({ url: CLERK });
    await page.sendMessage(control("m", "agent:clerk", { ackWait: 3_600_000 }));
    const taken = new Promise((resolve) => page.once("mail.delivered", resolve));
    const fatal = begin(page, { take: 1, answers: { m: ["hang"] } });
    await taken;
    page.cancelTask(fatal); // it doesn't hear of it: its worker is killed
    expect((await rejection(page.result(fatal))).code).to.equal("task/cancelled");
    const leaving = await connect();
    const second = await next(leaving, "agent:clerk");
    expect(named([second])).to.deep.equal(["m#2"]);
    await leaving.close();
    const third = await next(page, "agent:clerk");
    expect(named([third])).to.deep.equal(["m#3"]);
    await third.ack();
  });

  it("lose nothing and settle nothing twice while the host is replaced, and keep the order of each key", async () => {
    const rerun = new BroadcastChannel(`rerun:${suite.name}`);
    const [sender, taker] = [await connect(), await connect()];
    const sent = Array.from({ length: 48 }, (_, at) => `m${String(at)}`);
    const first: string[] = [];
    const done = new Promise<void>((resolve) => {
      const handle = ({ id }: ReceivedMessage): void => {
        if (!first.includes(id)) first.push(id);
        if (first.length === sent.length) resolve();
      };
      void taker.messages.receive("pile", handle, { concurrency: 4 });
    });
    for (const [at, id] of sent.entries()) {
      const sending = sender.sendMessage(
        control(id, "pile", { key: `k${String(at % 3)}`, ackWait: 1_000, maxDeliveries: 100 }),
      );
      if (at % 16 === 7) rerun.postMessage(0);
      await sending;
    }
    await done;
    rerun.close();
    await Promise.all([sender.settled(), taker.settled()]);
    await suite.closeAll();
    for (const key of [0, 1, 2]) {
      const own = sent.filter((_, at) => at % 3 === key);
      expect(
        first.filter((id) => own.includes(id)),
        `key ${String(key)}`,
      ).to.deep.equal(own);
    }
    await new Promise((resolve) => setTimeout(resolve, 200)); // the worker ends with its pages
    const events = await eventsOf(suite.name);
    const idsOf = (type: string): unknown[] =>
      events.filter((event) => event.type === type).map(({ data }) => data["id"]);
    expect(idsOf("mail.sent")).to.deep.equal(sent);
    const acked = idsOf("mail.acked");
    expect(new Set(acked).size, "none twice").to.equal(acked.length);
    expect(idsOf("host.started").length).to.be.at.least(3);
  });
});
