/** The host is killed at every write while messages are sent, taken and answered: none is lost, none is settled twice. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { CoreCommand } from "../../../src/core/runtime.ts";
import type { MemoryFault } from "../../../src/plugins/journals/memory-disk.ts";
import { createChance } from "./chance.ts";
import { createDisk, eventsOf, type Disk } from "./disk.ts";
import { createTime, never, openHost, type Host, type VirtualTime } from "./kit.ts";

const IDS = ["a1", "a2", "b1", "a3", "free", "b2", "doomed"];

function send(id: string): CoreCommand {
  const key = /[ab]\d/u.test(id) ? { key: id.slice(0, 1) } : {};
  const terms = { ackWait: 1_000, maxDeliveries: id === "doomed" ? 2 : 100, backoff: 10, ttl: 3_600_000 };
  const what = { type: "status_update", payload: '{"status":"ok"}', recipient: "r", sender: "s" };
  return { type: "mail.send", data: { id, once: true, ...what, ...key, ...terms } };
}

interface Stage {
  readonly disk: Disk;
  readonly time: VirtualTime;
  /** What the sender has been told is durable, and the taker of its answers. */
  readonly sent: Set<string>;
  readonly acked: Set<string>;
  /** What the taker has, though the host may be another one by now. */
  readonly has: Map<string, number>;
  /** Its answer that it has heard nothing of yet. */
  said: Answer | undefined;
  /** How often it had to be given again. */
  again: number;
}

type Answer = Extract<CoreCommand, { readonly type: "mail.ack" | "mail.nak" }>;

/** Whether it was heard. It is never refused: no time passes, and nobody else answers. */
async function answer(host: Host, stage: Stage): Promise<boolean> {
  const { said } = stage;
  if (!said) return true;
  const { type, data } = said;
  const refused = await host.submit(said);
  if (host.isOver()) return false;
  assert.deepEqual(refused, [], JSON.stringify(said));
  stage.said = undefined;
  stage.has.delete(data.id);
  if (type === "mail.nak") return true;
  assert.ok(!stage.acked.has(data.id), `${data.id} is acknowledged twice`);
  stage.acked.add(data.id);
  return true;
}

/** A page that sends again what it has no answer to, and takes, gives the first of all back, and acknowledges. */
async function talk(host: Host, stage: Stage): Promise<void> {
  if (stage.said) stage.again++;
  if (!(await answer(host, stage))) return;
  for (const id of IDS)
    if (!stage.sent.has(id)) {
      await host.submit(send(id));
      if (!host.isOver()) stage.sent.add(id);
    }
  const take: CoreCommand = { type: "mail.take", data: { recipient: "r", consumer: "c", call: 1, max: 2 } };
  for (let round = 0; round < 60 && !host.isOver(); round++) {
    const from = host.committed.length;
    await host.submit(take);
    if (host.isOver()) return;
    for (const { type, data } of host.committed.slice(from))
      if (type === "mail.delivered") stage.has.set(data.id, data.delivery);
    for (const [id, delivery] of [...stage.has]) {
      const type = id === "doomed" || (id === "a1" && delivery === 1) ? "mail.nak" : "mail.ack";
      stage.said = { type, data: { id, delivery, consumer: "c" } };
      if (!(await answer(host, stage))) return;
    }
    await host.advance(400);
  }
}

async function run(kills: ReadonlyMap<number, MemoryFault>): Promise<{ writes: number; again: number }> {
  const about = { sent: new Set<string>(), acked: new Set<string>(), has: new Map<string, number>() };
  const stage: Stage = { disk: createDisk(), time: createTime(), ...about, said: undefined, again: 0 };
  const chance = createChance(7);
  let writes = 0;
  let isDone = false;
  for (let hosts = 0; !isDone; hosts++) {
    assert.ok(hosts < 6, "it never ends");
    const gate = (): MemoryFault | undefined => kills.get(++writes);
    const host = await openHost({ ...stage, chance, behaviour: never, gate, snapshotEvery: 10 });
    await talk(host, stage).catch((error: unknown) => {
      if (!host.isOver()) throw error; // it was killed between two commands
    });
    isDone = !host.isOver();
    if (isDone) assert.equal(host.engine.state.mail.mails.size, 0);
    host.kill();
  }
  check(stage);
  return { writes, again: stage.again };
}

function check({ disk, acked }: Stage): void {
  const [sent, ends, order] = [new Map<string, number>(), new Map<string, string>(), [] as string[]];
  const deliveries = new Map<string, number>();
  for (const { type, data } of eventsOf(disk)) {
    if (type === "mail.sent") sent.set(data.id, (sent.get(data.id) ?? 0) + 1);
    if (type === "mail.delivered") {
      assert.ok(!ends.has(data.id));
      assert.equal(data.delivery, (deliveries.get(data.id) ?? 0) + 1);
      deliveries.set(data.id, data.delivery);
      if (data.delivery === 1) order.push(data.id);
    }
    if (type !== "mail.acked" && type !== "mail.buried") continue;
    assert.ok(!ends.has(data.id), `${data.id} ends twice`);
    ends.set(data.id, type);
  }
  assert.deepEqual(
    [...sent],
    IDS.map((id) => [id, 1]),
  );
  assert.deepEqual([...ends.keys()].sort(), [...IDS].sort());
  assert.equal(ends.get("doomed"), "mail.buried");
  for (const id of acked) assert.equal(ends.get(id), "mail.acked");
  for (const key of ["a", "b"])
    assert.deepEqual(
      order.filter((id) => id.startsWith(key)),
      IDS.filter((id) => id.startsWith(key)),
    );
}

describe("messages over crashes", () => {
  it("end once each, in order, wherever the host is killed", async () => {
    const { writes } = await run(new Map());
    assert.ok(writes > 20, String(writes));
    const again = { refuse: 0, "fail-after": 0 };
    for (let at = 1; at <= writes; at++)
      for (const fault of ["refuse", "fail-after"] as const) {
        again[fault] += (await run(new Map([[at, fault]]))).again;
        await run(
          new Map([
            [at, fault],
            [at + 3, "fail-after"],
          ]),
        );
      }
    assert.ok(again["fail-after"] > IDS.length && again.refuse > IDS.length, JSON.stringify(again)); // lost on either way
  });
});
