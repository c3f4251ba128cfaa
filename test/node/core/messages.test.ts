/** Messages and waits against the plainest model of them, over restarts. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import {
  MAX_ALIKE,
  MAX_REMEMBERED,
  MESSAGE_LIFE,
  type Consume,
  type MessageCommands,
} from "../../../src/core/messages/message.ts";
import type { CoreCommand, CoreEvent } from "../../../src/core/runtime.ts";
import { createChance, roundsOf, seedOf, type Chance } from "./chance.ts";
import { createDisk, eventsOf } from "./disk.ts";
import { createTime, openHost, openWorld, START } from "./kit.ts";

const seed = seedOf(31);

function publish(name: string, more: Partial<MessageCommands["message.publish"]> = {}): CoreCommand {
  return { type: "message.publish", data: { name, payload: "1", ...more } };
}

function wait(id: string, name: string, more: Partial<MessageCommands["wait.open"]> = {}): CoreCommand {
  return { type: "wait.open", data: { id, name, key: "", consume: "one", ...more } };
}

/** Who has got what, as `wait=payload`, and what else happened to waits and messages. */
function outcomes(events: readonly CoreEvent[]): string[] {
  return events.flatMap(({ type, data }) => {
    if (type === "wait.met") return [`${data.id}=${data.payload}`];
    if (type === "wait.expired") return [`${data.id} expired`];
    if (type === "message.dropped") return [`${data.name} dropped after ${String(data.met)}`];
    return [];
  });
}

describe(`messages (seed ${String(seed)})`, () => {
  it("go to the oldest wait of their name and key, or are kept for the next one", async () => {
    const world = await openWorld(1);
    await world.submit(wait("a", "paid", { key: "7" }), wait("b", "paid", { key: "7" }), wait("c", "paid"));
    await world.submit(publish("paid", { key: "7", payload: "1" }), publish("paid", { key: "8", payload: "2" }));
    await world.submit(publish("paid", { key: "7", payload: "3" }), publish("paid", { key: "7", payload: "4" }));
    await world.submit(
      wait("d", "paid", { key: "8" }),
      wait("e", "paid", { key: "7" }),
      wait("f", "paid", { key: "7" }),
    );
    assert.deepEqual(outcomes(world.committed), ["a=1", "b=3", "d=2", "e=4"]);
    assert.deepEqual(
      [...world.engine.state.messages.waits.values()].map(({ id }) => id),
      ["c", "f"],
    );
  });

  it("are had by every broadcast wait, and stay for one that takes them", async () => {
    const world = await openWorld(1);
    await world.submit(wait("all1", "x", { consume: "broadcast" }), wait("all2", "x", { consume: "broadcast" }));
    await world.submit(publish("x"), wait("all3", "x", { consume: "broadcast" }), wait("one", "x"), wait("two", "x"));
    assert.deepEqual(outcomes(world.committed), ["all1=1", "all2=1", "all3=1", "one=1"]);
  });

  it("are looked back for as far as the wait says, and dropped when their time is over, which is told", async () => {
    const world = await openWorld(1);
    await world.submit(publish("x", { payload: "1" }));
    await world.advance(1_000);
    await world.submit(
      wait("new", "x", { lookBack: 0, timeout: 500 }),
      wait("near", "x", { lookBack: 999, timeout: 600 }),
    );
    await world.submit(publish("y", { ttl: 0 }));
    await world.advance(1_000);
    await world.submit(publish("x", { payload: "2", ttl: 5 }), wait("late", "x", { lookBack: 3 }));
    await world.advance(MESSAGE_LIFE);
    assert.deepEqual(outcomes(world.committed), [
      "y dropped after 0",
      "new expired",
      "near expired",
      "late=2",
      "x dropped after 0",
    ]);
    assert.equal(world.engine.nextDue(), undefined);
  });

  it("with an id are taken once, as long as it is remembered", async () => {
    const world = await openWorld(1);
    await world.submit(publish("x", { id: "m" }), publish("x", { id: "m" }), wait("a", "x"), publish("x", { id: "m" }));
    world.kill();
    const next = await openHost(world);
    await next.submit(publish("x", { id: "m" }));
    assert.equal(next.engine.state.messages.messages.size, 0);
    await next.advance(MESSAGE_LIFE);
    await next.submit(publish("x", { id: "m" }));
    assert.equal(next.engine.state.messages.messages.size, 1);
    for (let at = 0; at <= MAX_REMEMBERED; at++) next.push(publish("z", { id: `m${String(at)}`, ttl: 0 }));
    assert.equal(next.engine.state.messages.remembered.size, MAX_REMEMBERED);
  });

  it("that are too many, too large or no JSON are refused, and change nothing", async () => {
    const world = await openWorld(1);
    await world.submit(...Array.from({ length: MAX_ALIKE }, () => publish("x")));
    const before = world.engine.head;
    const payload = JSON.stringify("x".repeat(262_144));
    assert.deepEqual(await world.submit(publish("x"), publish("y", { payload }), publish("y", { payload: "{" })), [
      "message/overflow",
      "json/too-large",
      "json/invalid",
    ]);
    assert.equal(world.engine.head, before);
    assert.deepEqual(await world.submit(wait("a", "x"), publish("x")), [], "there is room again");
  });

  it("reach whom a plain model says, whatever waits, expires and restarts", async () => {
    for (let run = 0; run < roundsOf(60); run++) await compare(createChance(seed + run));
  });
});

interface ModelMessage {
  readonly name: string;
  readonly payload: string;
  readonly at: number;
  readonly until: number;
  met: number;
}

interface ModelWait {
  readonly id: string;
  readonly name: string;
  readonly consume: Consume;
  readonly until: number;
}

/** Two lists, searched from the front. */
function createModel(): {
  readonly log: string[];
  publish(message: Omit<ModelMessage, "met">): void;
  wait(wait: ModelWait, at: number, lookBack: number): void;
  cancel(id: string): void;
  pass(now: number): void;
} {
  let [messages, waits]: [ModelMessage[], ModelWait[]] = [[], []];
  const log: string[] = [];
  const meet = (one: ModelWait, message: ModelMessage): void => {
    log.push(`${one.id}=${message.payload}`);
    waits = waits.filter((other) => other !== one);
    if (one.consume === "one") messages = messages.filter((other) => other !== message);
    else message.met++;
  };
  return {
    log,
    publish(given) {
      const message = { ...given, met: 0 };
      messages.push(message);
      const matching = waits.filter(({ name }) => name === message.name);
      for (const one of matching) if (one.consume === "broadcast") meet(one, message);
      const taker = matching.find(({ consume }) => consume === "one");
      if (taker) meet(taker, message);
    },
    wait(one, at, lookBack) {
      waits.push(one);
      const found = messages.find((message) => message.name === one.name && message.at >= at - lookBack);
      if (found) meet(one, found);
    },
    cancel(id) {
      waits = waits.filter((one) => one.id !== id);
    },
    pass(now) {
      const over = [
        ...messages.map((one) => ({ until: one.until, text: `${one.name} dropped after ${String(one.met)}` })),
        ...waits.map((one) => ({ until: one.until, text: `${one.id} expired` })),
      ].filter(({ until }) => until <= now);
      log.push(...over.map(({ text }) => text));
      messages = messages.filter(({ until }) => until > now);
      waits = waits.filter(({ until }) => until > now);
    },
  };
}

async function compare(chance: Chance): Promise<void> {
  const [disk, time, model] = [createDisk(), createTime(), createModel()];
  const options = { disk, time, chance: createChance(1), snapshotEvery: 9 };
  let host = await openHost(options);
  for (let step = 0; step < 120; step++) {
    const name = chance.pick(["x", "y"]);
    const id = `w${String(step)}`;
    const draw = chance.below(10);
    if (draw < 4) {
      const ttl = 1 + chance.below(2_000);
      const command = publish(name, { payload: String(step), ttl, ...(chance.once(2) && { id: `m${String(step)}` }) });
      await host.submit(command);
      if (chance.once(4) && command.type === "message.publish" && command.data.id) await host.submit(command);
      model.publish({ name, payload: String(step), at: time.now(), until: time.now() + ttl });
    } else if (draw < 8) {
      const consume = chance.pick(["one", "one", "broadcast"] as const);
      const lookBack = chance.once(3) ? undefined : chance.pick([0, 300]);
      const timeout = chance.once(2) ? undefined : 1 + chance.below(3_000);
      const given = { consume, ...(lookBack !== undefined && { lookBack }), ...(timeout !== undefined && { timeout }) };
      await host.submit(wait(id, name, given));
      model.wait({ id, name, consume, until: time.now() + (timeout ?? Infinity) }, time.now(), lookBack ?? Infinity);
    } else if (draw < 9) {
      const gone = `w${String(chance.below(step + 1))}`;
      await host.submit({ type: "wait.cancel", data: { id: gone, reason: "enough" } });
      model.cancel(gone);
    } else {
      host.kill();
      host = await openHost(options);
    }
    const later = chance.below(400);
    for (let passed = 0; passed < later; passed += 50) {
      await host.advance(50);
      model.pass(time.now());
    }
  }
  const sorted = (list: readonly string[]): string[] => [...list].sort();
  assert.deepEqual(sorted(outcomes(eventsOf(disk))), sorted(model.log));
  const { messages, waits, channels } = host.engine.state.messages;
  assert.ok(messages.size + waits.size >= channels.size && time.now() > START, "no empty channel stays");
}
