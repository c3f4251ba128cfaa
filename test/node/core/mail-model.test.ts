/** Random lives of messages against a plain model that only looks at lists: which is next, and what an answer is worth. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { MAX_MAILBOX, URGENCIES, type Urgency } from "../../../src/core/mail/mail.ts";
import { saveState, type CoreCommand, type CoreEvent } from "../../../src/core/runtime.ts";
import { createChance, roundsOf, seedOf, type Chance } from "./chance.ts";
import { createDisk, eventsOf } from "./disk.ts";
import { createTime, never, openWorld, type Host, type VirtualTime } from "./kit.ts";

/** A message as the model knows it. */
interface Plain {
  readonly id: string;
  readonly row: string | undefined;
  readonly recipient: string;
  readonly priority: Urgency;
  readonly place: number;
  readonly expiresAt: number;
  readonly ackWait: number;
  readonly most: number;
  readonly backoff: number;
  delivery: number;
  consumer: string | undefined;
  until: number;
  notBefore: number;
}

const RECIPIENTS = ["ann", "bob", "cid"];
const SENDERS = ["x", "y"];
const CONSUMERS = ["page:1", "page:2", "link:3"];
const one = <T>(chance: Chance, list: readonly T[]): T => list[chance.below(list.length)] as T;

class Model {
  readonly live = new Map<string, Plain>();
  readonly ends = new Map<string, string>();
  /** The latest answer to each message that counted: what, to which delivery, and whose. */
  readonly answers = new Map<string, string>();
  /** Messages of a mailbox since it was last empty. */
  readonly counts = new Map<string, number>();

  send(data: Record<string, unknown>, now: number): void {
    const { id, recipient, sender, key } = data as Record<string, string>;
    const place = (this.counts.get(recipient ?? "") ?? 0) + 1;
    this.counts.set(recipient ?? "", place);
    this.live.set(id ?? "", {
      id: id ?? "",
      recipient: recipient ?? "",
      row: key === undefined ? undefined : [sender, recipient, key].join("|"),
      priority: (data["priority"] ?? "normal") as Urgency,
      place,
      expiresAt: now + Number(data["ttl"]),
      ackWait: Number(data["ackWait"]),
      most: Number(data["maxDeliveries"]),
      backoff: Number(data["backoff"]),
      delivery: 0,
      consumer: undefined,
      until: Infinity,
      notBefore: 0,
    });
  }

  end(id: string, how: string): void {
    const mail = this.live.get(id);
    assert.ok(mail, `${id} ends twice`);
    this.live.delete(id);
    this.ends.set(id, how);
    if (![...this.live.values()].some(({ recipient }) => recipient === mail.recipient))
      this.counts.delete(mail.recipient);
  }

  back(mail: Plain, now: number, delay?: number): void {
    if (mail.expiresAt <= now) this.end(mail.id, "expired");
    else if (mail.delivery >= mail.most) this.end(mail.id, "max-deliveries");
    else {
      mail.consumer = undefined;
      mail.until = Infinity;
      mail.notBefore = now + (delay ?? Math.min(60_000, mail.backoff * 2 ** (mail.delivery - 1)));
    }
  }

  /** What time alone has done by now, the earliest first. */
  pass(now: number): void {
    for (;;) {
      const due = [...this.live.values()]
        .map((mail) => ({ mail, at: mail.consumer === undefined ? mail.expiresAt : mail.until }))
        .filter(({ at }) => at <= now)
        .sort((a, b) => a.at - b.at)[0];
      if (!due) return;
      if (due.mail.consumer === undefined) this.end(due.mail.id, "expired");
      else this.back(due.mail, due.at);
    }
  }

  take(recipient: string, consumer: string, max: number, now: number): Plain[] {
    const taken: Plain[] = [];
    while (taken.length < max) {
      const all = [...this.live.values()];
      const open = all.filter(
        (mail) =>
          mail.recipient === recipient &&
          mail.consumer === undefined &&
          mail.notBefore <= now &&
          (mail.row === undefined || all.find(({ row }) => row === mail.row) === mail),
      );
      const rank = (mail: Plain): number => mail.place + URGENCIES.indexOf(mail.priority) * MAX_MAILBOX;
      const [next] = open.sort((a, b) => rank(a) - rank(b) || (a.id < b.id ? -1 : 1));
      if (!next) break;
      next.delivery++;
      next.consumer = consumer;
      next.until = now + next.ackWait;
      taken.push(next);
    }
    return taken;
  }
}

interface Life {
  readonly chance: Chance;
  readonly time: VirtualTime;
  readonly model: Model;
  host: Host;
  /** Deliveries that some consumer knows of, also old ones. */
  readonly known: { readonly id: string; readonly delivery: number }[];
}

async function send({ chance, host, time, model }: Life, at: number): Promise<void> {
  const key = one(chance, [undefined, undefined, "k", "l"]);
  const data = {
    id: `m${String(at)}`,
    type: "status_update",
    payload: '{"status":"ok"}',
    sender: one(chance, SENDERS),
    recipient: one(chance, RECIPIENTS),
    priority: one(chance, URGENCIES),
    ttl: one(chance, [50, 3_000, 200_000]),
    ackWait: one(chance, [100, 1_000, 20_000]),
    maxDeliveries: one(chance, [1, 2, 5]),
    backoff: one(chance, [0, 10, 1_000]),
    ...(key !== undefined && { key }),
  };
  assert.deepEqual(await host.submit({ type: "mail.send", data }), []);
  model.send(data, time.now());
}

async function take(life: Life, call: number): Promise<void> {
  const { chance, host, time, model, known } = life;
  const [recipient, consumer, max] = [one(chance, RECIPIENTS), one(chance, CONSUMERS), 1 + chance.below(4)];
  const from = host.committed.length;
  await host.submit({ type: "mail.take", data: { recipient, consumer, call, max } });
  const seen = host.committed.slice(from).flatMap(({ type, data }) => (type === "mail.delivered" ? [data] : []));
  const expected = model.take(recipient, consumer, max, time.now());
  assert.deepEqual(
    seen.map(({ id, delivery, until }) => ({ id, delivery, until })),
    expected.map(({ id, delivery, until }) => ({ id, delivery, until })),
  );
  known.push(...seen.map(({ id, delivery }) => ({ id, delivery })));
}

async function reply({ chance, host, time, model, known }: Life): Promise<void> {
  if (known.length === 0) return;
  const { id, delivery } = one(chance, known);
  const mail = model.live.get(id);
  const consumer = one(chance, [undefined, ...CONSUMERS]);
  const about = { id, delivery, ...(consumer !== undefined && { consumer }) };
  const isHeld = mail?.delivery === delivery && mail.consumer !== undefined;
  const isGood = isHeld && (consumer ?? mail.consumer) === mail.consumer;
  const delay = one(chance, [undefined, 0, 500]);
  const command = one(chance, [
    { type: "mail.ack", data: about },
    { type: "mail.ack", data: about },
    { type: "mail.nak", data: { ...about, ...(delay !== undefined && { delay }) } },
    { type: "mail.extend", data: about },
    { type: "mail.terminate", data: { ...about, reason: "no" } },
  ] satisfies CoreCommand[]);
  const said = `${command.type} ${id}#${String(delivery)} ${String(consumer)}`;
  const isAgain = model.answers.get(id) === said;
  assert.deepEqual(await host.submit(command), isGood || isAgain ? [] : ["message/stale"], said);
  if (!isGood) return;
  const isLate = command.type === "mail.nak" && mail.expiresAt <= time.now(); // that ends it, whatever is said
  if (command.type !== "mail.extend" && !isLate)
    model.answers.set(id, `${command.type} ${id}#${String(delivery)} ${mail.consumer}`);
  if (command.type === "mail.ack") model.end(id, "acked");
  else if (command.type === "mail.terminate") model.end(id, "terminated");
  else if (command.type === "mail.extend") mail.until = time.now() + mail.ackWait;
  else model.back(mail, time.now(), delay);
}

async function step(life: Life, at: number): Promise<void> {
  const { chance, model, time } = life;
  const dice = chance.below(100);
  if (dice < 35) await send(life, at);
  else if (dice < 60) await take(life, at);
  else if (dice < 85) await reply(life);
  else if (dice < 95) {
    await life.host.advance(one(chance, [1, 60, 700, 5_000]));
    model.pass(time.now());
  } else if (dice < 97) {
    const consumer = one(chance, CONSUMERS);
    await life.host.submit({ type: "mail.release", data: { consumer } });
    for (const mail of [...model.live.values()]) if (mail.consumer === consumer) model.back(mail, time.now(), 0);
  }
}

/** What the journal says of itself, whatever the model thinks. */
function checkJournal(events: readonly CoreEvent[]): void {
  const expiry = new Map<string, number>();
  const deliveries = new Map<string, number>();
  const settled = new Set<string>();
  const rows = new Map<string, string[]>();
  const rowOf = new Map<string, string>();
  for (const { type, data, at } of events) {
    if (type === "mail.sent") {
      expiry.set(data.id, data.expiresAt);
      if (data.key === undefined) continue;
      const row = JSON.stringify([data.sender, data.recipient, data.key]);
      rowOf.set(data.id, row);
      rows.set(row, [...(rows.get(row) ?? []), data.id]);
    } else if (type === "mail.delivered") {
      assert.ok(at < (expiry.get(data.id) ?? 0), `${data.id} is delivered after it has expired`);
      assert.equal(data.delivery, (deliveries.get(data.id) ?? 0) + 1);
      assert.ok(!settled.has(data.id));
      deliveries.set(data.id, data.delivery);
      const before = rows.get(rowOf.get(data.id) ?? "") ?? [data.id];
      for (const earlier of before.slice(0, before.indexOf(data.id)))
        assert.ok(settled.has(earlier), `${data.id} overtakes ${earlier}`);
    } else if (type === "mail.acked" || type === "mail.buried") {
      assert.ok(!settled.has(data.id), `${data.id} ends twice`);
      settled.add(data.id);
    }
  }
}

async function live(seed: number): Promise<number> {
  const chance = createChance(seed);
  const [disk, time] = [createDisk(), createTime()];
  const open = (): Promise<Host> => openWorld(seed, { disk, time, behaviour: never, snapshotEvery: 40 });
  const life: Life = { chance, time, model: new Model(), host: await open(), known: [] };
  for (let at = 0; at < 150; at++) {
    await step(life, at);
    if (chance.below(25) === 0) {
      const before = JSON.parse(saveState(life.host.engine.state)) as Record<string, unknown>;
      life.host.kill();
      life.host = await open();
      const after = JSON.parse(saveState(life.host.engine.state)) as Record<string, unknown>;
      assert.deepEqual(after["mail"], before["mail"]);
    }
    const { mails } = life.host.engine.state.mail;
    assert.deepEqual([...mails.values()].map(({ id }) => id).sort(), [...life.model.live.keys()].sort());
  }
  for (let round = 0; life.model.live.size > 0; round++) {
    assert.ok(round < 200, "it never ends");
    for (const recipient of RECIPIENTS) {
      const taken = life.model.take(recipient, "page:1", 100, time.now());
      await life.host.submit({ type: "mail.take", data: { recipient, consumer: "page:1", call: round, max: 100 } });
      for (const { id, delivery } of taken) {
        assert.deepEqual(await life.host.submit({ type: "mail.ack", data: { id, delivery } }), []);
        life.model.end(id, "acked");
      }
    }
    await life.host.advance(700);
    life.model.pass(time.now());
  }
  const { mail } = life.host.engine.state;
  assert.deepEqual([mail.mails.size, mail.boxes.size, mail.rows.size, mail.held.size, mail.kept], [0, 0, 0, 0, 0]);
  const events = eventsOf(disk);
  checkJournal(events);
  const ends = events.flatMap(({ type, data }): [string, string][] =>
    type === "mail.acked" ? [[data.id, "acked"]] : type === "mail.buried" ? [[data.id, data.cause]] : [],
  );
  assert.deepEqual(new Map(ends), life.model.ends);
  assert.equal(mail.dead.size, ends.filter(([, how]) => how !== "acked").length);
  life.host.kill();
  return ends.length;
}

describe("messages in mailboxes", () => {
  const first = seedOf(505);
  it(`are as a plain model has them, over kills of the host (seed ${String(first)})`, async () => {
    let count = 0;
    for (let seed = first; seed < first + roundsOf(40); seed++)
      try {
        count += await live(seed);
      } catch (error) {
        throw new Error(`seed ${String(seed)}: ${String(error)}`, { cause: error });
      }
    assert.ok(count > roundsOf(1_000), String(count));
  });
});
