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
}

/** A page that sends again what it has no answer to, and takes, gives the first of all back, and acknowledges. */
async function talk(host: Host, stage: Stage): Promise<void> {
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
      const refused = await host.submit({ type, data: { id, delivery } });
      if (host.isOver()) return;
      stage.has.delete(id);
      if (type === "mail.ack" && refused.length === 0) {
        assert.ok(!stage.acked.has(id), `${id} is acknowledged twice`);
        stage.acked.add(id);
      }
    }
    await host.advance(400);
  }
}

async function run(kills: ReadonlyMap<number, MemoryFault>): Promise<number> {
  const stage: Stage = { disk: createDisk(), time: createTime(), sent: new Set(), acked: new Set(), has: new Map() };
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
  return writes;
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
    const writes = await run(new Map());
    assert.ok(writes > 20, String(writes));
    for (let at = 1; at <= writes; at++)
      for (const fault of ["refuse", "fail-after"] as const) {
        await run(new Map([[at, fault]]));
        await run(
          new Map([
            [at, fault],
            [at + 3, "fail-after"],
          ]),
        );
      }
  });
});
