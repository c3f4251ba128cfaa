/** Schedules on virtual time: when runs begin, and what becomes of those that meet others or that nobody was there for. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { calendar, nextFireTimes } from "../../../src/calendar/cron.ts";
import { RuntimeError } from "../../../src/core/errors.ts";
import {
  MAX_RUNNING,
  ScheduleSetSchema,
  type Schedule,
  type ScheduleRequest,
} from "../../../src/core/schedules/schedule.ts";
import { timesOf } from "../../../src/core/schedules/times.ts";
import type { CoreCommand, CoreEvent } from "../../../src/core/runtime.ts";
import type { MemoryFault } from "../../../src/plugins/journals/memory-disk.ts";
import * as v from "valibot";
import { createChance, seedOf } from "./chance.ts";
import { createDisk, eventsOf, type Disk } from "./disk.ts";
import {
  completes,
  createTime,
  never,
  openHost,
  openWorld,
  type Behaviour,
  type Host,
  type VirtualTime,
} from "./kit.ts";
import { registerWorkflow, serve, startExecution } from "./things.ts";

const [SECOND, MINUTE, HOUR, DAY] = [1_000, 60_000, 3_600_000, 86_400_000];
const seed = seedOf(2_026);
const at = (text: string): number => Date.parse(text);
const MONDAY = at("2026-06-01T00:00:00Z");

const work = { capabilities: ["work"], timeout: DAY };
const workflow = registerWorkflow({ id: "w", nodes: [{ id: "do", type: "task", ...work }] });

function schedule(more: Partial<ScheduleRequest> = {}): CoreCommand {
  const data = v.parse(ScheduleSetSchema, { id: "s", workflow: "w", cron: "0 * * * *", ...more });
  return { type: "schedule.set", data };
}

interface World extends Host {
  readonly disk: Disk;
  readonly time: VirtualTime;
}

async function open(
  more: Partial<ScheduleRequest>,
  behaviour: Behaviour = completes(1),
  start = MONDAY,
): Promise<World> {
  const world = await openWorld(seed, { time: createTime(start), behaviour });
  await world.submit(...serve("a", { slots: 100 }), workflow, schedule(more));
  return world;
}

/** What the schedule did, as `+` and the moment of a run, or why there was none. */
function story(events: readonly CoreEvent[]): string[] {
  const name = (moment: number): string => new Date(moment).toISOString().slice(5, 19);
  return events.flatMap(({ type, data }) => {
    if (type === "schedule.fired") return [`${data.waited ? ">" : "+"}${name(data.at)}`];
    if (type === "schedule.skipped") return [`${data.reason} ${String(data.count)}${data.more ? " and more" : ""}`];
    if (type === "schedule.queued") return [`queued ${name(data.at)}`];
    if (type === "execution.refused") return [`refused ${data.error.code}`];
    return [];
  });
}

/** Nobody is there for so long. */
async function away(world: World, span: number, behaviour: Behaviour = completes(1)): Promise<Host> {
  world.kill();
  world.time.set(world.time.now() + span);
  const host = await openHost({ ...world, chance: createChance(seed), behaviour });
  await host.submit({ type: "link.join", data: { link: "later", agent: "a@1.0.0", session: "page" } });
  return host;
}

describe(`a schedule (seed ${String(seed)})`, () => {
  it("begins a run at every moment of its pattern, once, with its input", async () => {
    const world = await open({ cron: "*/15 * * * * *", input: '{"a":1}' });
    await world.advance(MINUTE + 1);
    assert.deepEqual(story(world.committed), [
      "+06-01T00:00:15",
      "+06-01T00:00:30",
      "+06-01T00:00:45",
      "+06-01T00:01:00",
    ]);
    const runs = world.disk.archived.filter(({ kind }) => kind === "execution");
    assert.deepEqual(
      runs.map(({ id, text }) => [id, (JSON.parse(text) as { input: string }).input]),
      [15, 30, 45, 60].map((second) => [`s@${String(MONDAY + second * SECOND)}`, '{"a":1}']),
    );
  });

  it("goes by the clock on the wall: in spring the hour that isn't there, in autumn the one that is there twice", async () => {
    const daily = { cron: "30 2 * * *", timeZone: "Europe/Berlin" };
    const spring = await open(daily, completes(1), at("2026-03-27T12:00:00Z"));
    await spring.advance(3 * DAY);
    assert.deepEqual(story(spring.committed), ["+03-28T01:30:00", "+03-29T01:00:00", "+03-30T00:30:00"]);
    const autumn = await open(daily, completes(1), at("2026-10-23T12:00:00Z"));
    await autumn.advance(3 * DAY);
    assert.deepEqual(story(autumn.committed), ["+10-24T00:30:00", "+10-25T00:30:00", "+10-26T01:30:00"]);
    const hourly = await open(
      { cron: "0 * * * *", timeZone: "Europe/Berlin" },
      completes(1),
      at("2026-10-24T22:30:00Z"),
    );
    await hourly.advance(4 * HOUR);
    assert.equal(story(hourly.committed).join(), "+10-24T23:00:00,+10-25T00:00:00,+10-25T01:00:00,+10-25T02:00:00");
  });

  it("leaves out, queues, cancels or doubles what meets a run of its own", async () => {
    const slow = completes(90 * MINUTE);
    const ran: Record<string, string[]> = {};
    for (const overlap of ["skip", "queue", "cancel-running", "allow"] as const) {
      const world = await open({ overlap, endAt: MONDAY + 3 * HOUR }, slow);
      await world.finish(2 * DAY);
      ran[overlap] = story(world.committed).map((line) => line.replace("06-01T", "").replaceAll(":00", ""));
      assert.equal(world.engine.state.workflows.executions.size, 0);
      assert.deepEqual(world.engine.state.schedules.schedules.get("s")?.running, []);
      const ends = world.committed.filter(({ type }) => type === "execution.cancelled").length;
      assert.equal(ends, overlap === "cancel-running" ? 2 : 0);
    }
    assert.deepEqual(ran, {
      skip: ["+01", "overlap 1", "+03"],
      queue: ["+01", "queued 02", ">02", "queued 03", ">03"],
      "cancel-running": ["+01", "+02", "+03"],
      allow: ["+01", "+02", "+03"],
    });
  });

  it("catches up after a week away with all, one or nothing, and tells what was missed", async () => {
    const told: Record<string, readonly string[]> = {};
    for (const catchUp of ["all", "one", "none"] as const) {
      const world = await open({ cron: "0 6 * * *", catchUp, window: 3 * DAY, overlap: "allow" });
      const host = await away(world, 7 * DAY + HOUR);
      await host.advance(6 * HOUR);
      told[catchUp] = story(host.committed);
    }
    assert.deepEqual(told, {
      all: ["missed 4", "+06-05T06:00:00", "+06-06T06:00:00", "+06-07T06:00:00", "+06-08T06:00:00"],
      one: ["missed 6", "+06-07T06:00:00", "+06-08T06:00:00"],
      none: ["missed 7", "+06-08T06:00:00"],
    });
  });

  it("catches up with everything, in pieces, and doesn't count for ever", async () => {
    const all = await open({ cron: "* * * * *", catchUp: "all", window: 7 * DAY, overlap: "allow" });
    const host = await away(all, 5 * HOUR);
    await host.advance(SECOND);
    assert.equal(new Set(story(host.committed)).size, 300);
    const one = await open({ cron: "* * * * * *" });
    const next = await away(one, 30 * DAY);
    await next.advance(500);
    const [first, ...rest] = story(next.committed);
    assert.equal(first, "missed 100 and more");
    assert.equal(rest[0], "+06-30T23:59:00", "what is late by less than a minute isn't missed");
    assert.equal(rest[1], "overlap 60");
  });

  it("isn't late for a moment that has just passed", async () => {
    const world = await open({ catchUp: "none" });
    const host = await away(world, HOUR + 59 * SECOND);
    await host.advance(1);
    assert.deepEqual(story(host.committed), ["+06-01T01:00:00"]);
  });

  it("begins no moment twice when the clock is set back, nor when it is set anew", async () => {
    const world = await open({});
    await world.advance(2 * HOUR);
    world.time.set(MONDAY + 30 * MINUTE);
    await world.submit(schedule(), schedule({ overlap: "allow" }));
    await world.advance(3 * HOUR);
    assert.deepEqual(story(world.committed), ["+06-01T01:00:00", "+06-01T02:00:00", "+06-01T03:00:00"]);
  });

  it("begins later by a jitter that is drawn once and survives a restart", async () => {
    const world = await open({ jitter: 30 * MINUTE });
    const { dueAt = 0, nextAt } = world.engine.state.schedules.schedules.get("s") as Schedule;
    assert.equal(nextAt, MONDAY + HOUR);
    assert.ok(dueAt > nextAt && dueAt <= nextAt + 30 * MINUTE);
    const host = await away(world, 1);
    await host.advance(dueAt - world.time.now() - 1);
    assert.deepEqual(story(host.committed), []);
    await host.advance(1);
    assert.deepEqual(story(host.committed), ["+06-01T01:00:00"]);
  });

  it("runs from its start to its end, stops while it is paused, and is gone when it is removed", async () => {
    const world = await open({ startAt: MONDAY + 2 * HOUR, endAt: MONDAY + 5 * HOUR });
    await world.advance(3 * HOUR);
    await world.submit(schedule({ paused: true, endAt: MONDAY + 5 * HOUR }));
    await world.advance(HOUR);
    await world.submit(schedule({ endAt: MONDAY + 5 * HOUR }));
    await world.advance(DAY);
    assert.deepEqual(story(world.committed), ["+06-01T02:00:00", "+06-01T03:00:00", "+06-01T05:00:00"]);
    assert.equal(world.engine.nextDue(), undefined);
    const remove: CoreCommand = { type: "schedule.remove", data: { id: "s" } };
    assert.deepEqual(await world.submit(remove, remove), ["schedule/unknown"]);
  });

  it("tells of a run that can't begin, and goes on", async () => {
    const world = await open({ overlap: "queue" }, never);
    await world.submit(startExecution(`s@${String(MONDAY + HOUR)}`, "w"));
    await world.advance(2 * HOUR);
    assert.deepEqual(story(world.committed), ["+06-01T01:00:00", "refused execution/duplicate", "+06-01T02:00:00"]);
  });

  it("stands still where its time zone isn't known, tells that, and goes on when it is set again", async () => {
    const world = await open({});
    world.kill();
    const unknown = (cron: string, _zone: string, after: number): number | undefined =>
      calendar.next(cron, "Mars/Base", after);
    const broken = { ...calendar, next: unknown };
    const host = await openHost({ ...world, chance: createChance(seed), calendar: broken });
    await host.advance(HOUR);
    assert.equal(host.engine.state.schedules.schedules.get("s")?.error?.code, "schedule/invalid");
    assert.equal(host.engine.nextDue(), undefined);
    host.kill();
    const next = await openHost({ ...world, chance: createChance(seed) });
    await next.submit(schedule());
    assert.equal(next.engine.state.schedules.schedules.get("s")?.error, undefined);
    await next.advance(HOUR);
    assert.deepEqual(story(next.committed), ["+06-01T02:00:00"]);
  });

  it("has so many runs at once, and no more", async () => {
    const world = await open({ cron: "* * * * * *", overlap: "allow", catchUp: "all", window: HOUR }, never);
    await world.advance((MAX_RUNNING + 3) * SECOND);
    assert.deepEqual(story(world.committed).slice(-3), ["full 1", "full 1", "full 1"]);
    assert.equal(world.engine.state.schedules.schedules.get("s")?.running.length, MAX_RUNNING);
  });

  it("that makes no sense is refused, with the value, and changes nothing", async () => {
    const world = await open({});
    const before = world.engine.head;
    const wrong: Partial<ScheduleRequest>[] = [
      { cron: "61 * * * *" },
      { cron: "* * *" },
      { cron: "2030-01-01T00:00:00Z" },
      { cron: "0 0 31 2 *" },
      { timeZone: "Mars/Base" },
      { jitter: HOUR },
      { startAt: 5, endAt: 5 },
    ];
    for (const more of wrong)
      assert.deepEqual(await world.submit(schedule(more)), ["schedule/invalid"], JSON.stringify(more));
    assert.deepEqual(await world.submit(schedule({ workflow: "none" })), ["workflow/unknown"]);
    assert.deepEqual(await world.submit(schedule({ input: "{" })), ["json/invalid"]);
    assert.equal(world.engine.head, before);
  });

  it("looks at no more moments than it has to, and at each once, whatever is missed", () => {
    const chance = createChance(seed);
    for (let round = 0; round < 300; round++) {
      const every = chance.pick([1, 7, 60]) * MINUTE;
      const catchUp = chance.pick(["all", "one", "none"] as const);
      const window = chance.pick([MINUTE, HOUR, DAY]);
      const data = v.parse(ScheduleSetSchema, { id: "s", workflow: "w", cron: "* * * * *", catchUp, window });
      const plain = {
        moment: calendar.moment,
        next: (_cron: string, _zone: string, after: number) => (Math.floor(after / every) + 1) * every,
        last: (_cron: string, _zone: string, until: number) => Math.floor(until / every) * every,
      };
      const first = plain.next("", "", MONDAY);
      const now = first + chance.below(chance.pick([2 * MINUTE, HOUR, 3 * DAY]));
      const record = { ...data, setAt: 0, running: [], waiting: [], fired: 0, skipped: 0, nextAt: first, dueAt: first };
      const { due, missed, lastAt } = timesOf(record, { now, random: () => 0, id: () => "", calendar: plain });
      const all: number[] = [];
      for (let time = first; time <= now; time += every) all.push(time);
      const late = all.filter((time) => time < now - MINUTE);
      const begins = catchUp === "all" ? Math.min(now - window, now - MINUTE) : now - MINUTE;
      let expected = all.filter((time) => time >= begins).slice(0, 100);
      if (catchUp === "one" && expected.length === 0) expected = late.slice(-1).filter((time) => now - time <= window);
      assert.deepEqual(due, expected);
      const others = all.filter((time) => time < begins && !due.includes(time)).length;
      assert.ok(missed.more ? missed.count <= others && missed.count === 100 : missed.count === others);
      assert.ok(lastAt === (due.at(-1) ?? late.at(-1)) && lastAt <= now);
    }
  });
});

describe("a host that is killed", () => {
  const FAULTS: readonly MemoryFault[] = ["refuse", "hang", "fail-after", "hang-after"];

  /** Eight hours of an hourly schedule whose runs queue; the host dies at one write, and the next one takes over. */
  async function run(kill: number, fault: MemoryFault): Promise<{ writes: number; told: string[] }> {
    const [disk, time] = [createDisk(), createTime(MONDAY)];
    let [writes, hosts, isHanging] = [0, 0, false];
    let host: Host | undefined;
    const gate = (): MemoryFault | undefined => {
      if (++writes !== kill) return undefined;
      isHanging = fault.startsWith("hang");
      if (isHanging) queueMicrotask(() => host?.kill());
      return fault;
    };
    const isOver = (): boolean => host?.isOver() ?? true;
    while (time.now() < MONDAY + 20 * HOUR || isOver()) {
      assert.ok(++hosts < 4);
      isHanging = false;
      const behaviour: Behaviour = ({ task, attempt }) => {
        const data = { id: task.id, attempt, output: "1" };
        time.at(time.now() + 90 * MINUTE, () => {
          if (!isOver()) host?.push({ type: "task.complete", data });
        });
        return [];
      };
      host = await openHost({ disk, time, chance: createChance(seed), behaviour, gate, snapshotEvery: 5 });
      if (isHanging as boolean) host.kill();
      const settings = { overlap: "queue", catchUp: "all", endAt: MONDAY + 5 * HOUR } as const;
      if (!isOver()) host.push(...serve("a", { slots: 9 }), workflow, schedule(settings));
      while (!isOver() && time.now() < MONDAY + 20 * HOUR) await host.advance(10 * MINUTE);
    }
    return {
      writes,
      told: eventsOf(disk).flatMap(({ type, data }) => (type === "execution.completed" ? [data.id] : [])),
    };
  }

  it("loses no run and begins none twice, at whatever write and in whatever way it dies", async () => {
    const plain = await run(0, "refuse");
    assert.deepEqual(
      plain.told,
      [1, 2, 3, 4, 5].map((hour) => `s@${String(MONDAY + hour * HOUR)}`),
    );
    for (let kill = 1; kill <= plain.writes; kill++)
      for (const fault of FAULTS)
        assert.deepEqual((await run(kill, fault)).told, plain.told, `${fault} at ${String(kill)}`);
  });
});

describe("fire times", () => {
  it("are told ahead, ten or as many as there are", () => {
    assert.equal(nextFireTimes("0 0 * * *", { from: MONDAY }).length, 10);
    const berlin = nextFireTimes("0 0 9 * * MON", { from: MONDAY, timeZone: "Europe/Berlin", count: 2 });
    assert.deepEqual(berlin, [at("2026-06-01T07:00:00Z"), at("2026-06-08T07:00:00Z")]);
    assert.deepEqual(nextFireTimes("0 0 0 1 1 * 2030", { from: MONDAY }), [at("2030-01-01T00:00:00Z")]);
    for (const wrong of [{ count: 0 }, { count: 1_001 }, { count: 1.5 }, { from: NaN }])
      assert.throws(
        () => nextFireTimes("0 0 * * *", wrong),
        (error) => error instanceof RuntimeError && error.code === "command/invalid",
      );
  });

  it("grow strictly over every change of the clock, and the last one before the next is the one before", () => {
    const crons = ["*/30 * * * *", "30 2 * * *", "15 1,2,3 * * *", "0 0 L * *", "0 3 * * SUN"];
    const zones = ["Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "UTC"];
    const starts = ["2026-03-28T20:00:00Z", "2026-10-24T20:00:00Z", "2026-03-08T04:00:00Z", "2026-11-01T03:00:00Z"];
    for (const zone of zones)
      for (const cron of crons)
        for (const start of starts) {
          let before = calendar.next(cron, zone, at(start)) ?? NaN;
          for (let step = 0; step < 20; step++) {
            const next = calendar.next(cron, zone, before) ?? NaN;
            assert.ok(next > before);
            assert.equal(calendar.last(cron, zone, next), next, `${cron} ${zone} ${new Date(next).toISOString()}`);
            before = next;
          }
        }
  });
});
