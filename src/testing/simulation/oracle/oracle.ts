/**
 * Watches a simulation: what is written, what agents do, what pages are told. All that it knows of the rules it has from
 * here and from the documentation; it reads JSON and calls nothing of the core.
 */
import type { Written } from "../disk.ts";
import type { Site } from "../site.ts";
import { createMailRules, type KnownMail } from "./mail.ts";
import { checkText, createPayloadRules, type PayloadRules } from "./payloads.ts";
import type { Claim, JournalEvent, Rules, Violation } from "./rule.ts";
import { createRunRules, type KnownRun, type RunRules } from "./runs.ts";
import { createStreamRules, type StreamRules } from "./streams.ts";
import { createTaskRules, type KnownTask } from "./tasks.ts";
import { createTimeRules } from "./times.ts";

export interface Oracle {
  readonly violations: readonly Violation[];
  readonly claim: Claim;
  readonly tasks: ReadonlyMap<string, KnownTask>;
  readonly aliases: ReadonlyMap<string, string>;
  readonly runs: ReadonlyMap<string, KnownRun>;
  readonly approvals: RunRules["approvals"];
  readonly mails: ReadonlyMap<string, KnownMail>;
  readonly payloads: PayloadRules;
  readonly streams: StreamRules;
  /** Every event that is durable, in order. */
  readonly events: readonly JournalEvent[];
  /** Reads what was written since. */
  look(): void;
  /** An agent begins an attempt. */
  began(task: string, attempt: number): void;
  /** It gives an output, as JSON. */
  gave(task: string, attempt: number, output: string): void;
  /** It runs an effect. */
  effect(task: string, attempt: number, key: string): void;
  /** The epoch of the host that gave the attempt away; 0 when none did. */
  epochOf(task: string, attempt: number): number;
  /** It was given the value of a secret. */
  secret(task: string, attempt: number, name: string, value: unknown): void;
  /** A page is told a text that isn't an event's. */
  told(page: string, text: string): void;
  /** A page hears of events: returns a function that takes them one by one; `again` is called when it is welcomed. */
  listener(page: string): { hear(event: JournalEvent): void; again(): void };
}

/** More than a few say nothing more. */
const MAX_VIOLATIONS = 20;

export function createOracle({ disk, world, vault }: Pick<Site, "disk" | "world" | "vault">): Oracle {
  const violations: Violation[] = [];
  const claim: Claim = (holds, rule, text) => {
    if (!holds && violations.length < MAX_VIOLATIONS) violations.push({ rule, text: text() });
  };
  const performed = { outputs: new Map<string, Set<string>>(), began: new Set<string>() };
  const payloads = createPayloadRules(claim, disk);
  const ofTasks = createTaskRules(claim, performed, payloads.whole);
  const ofRuns = createRunRules(claim);
  const ofMail = createMailRules(claim, () => world.setBack);
  const rules = [ofTasks.rules, ofRuns.rules, ofMail.rules, createTimeRules(claim, world)];
  const events: JournalEvent[] = [];
  const assigned = new Map<string, Assigned>();
  const take = createReader({ claim, rules, events, assigned, payloads, now: world.now });
  let seen = 0;
  const oracle: Oracle = {
    violations,
    claim,
    tasks: ofTasks.tasks,
    aliases: ofTasks.aliases,
    runs: ofRuns.runs,
    approvals: ofRuns.approvals,
    mails: ofMail.mails,
    payloads,
    streams: createStreamRules(claim, (task) => {
      oracle.look();
      return oracle.tasks.get(task)?.ended !== undefined;
    }),
    events,
    look() {
      for (; seen < disk.history.length; seen++) {
        const written = disk.history[seen];
        if (written) take(written);
      }
      payloads.look();
    },
    ...witness({ claim, vault, assigned, performed, look: () => oracle.look(), tasks: ofTasks.tasks }),
    listener: (page) => createListener(page, oracle),
  };
  return oracle;
}

/** When an attempt was there, and by the host of which epoch. */
interface Assigned {
  readonly at: number;
  readonly epoch: number;
}

interface Seeing extends Pick<Oracle, "claim" | "look" | "tasks"> {
  readonly vault: Site["vault"];
  readonly assigned: ReadonlyMap<string, Assigned>;
  readonly performed: { readonly outputs: Map<string, Set<string>>; readonly began: Set<string> };
}

/** What agents and pages say of themselves. */
function witness({
  claim,
  vault,
  assigned,
  performed,
  look,
  tasks,
}: Seeing): Pick<Oracle, "began" | "gave" | "effect" | "epochOf" | "secret" | "told"> {
  return {
    epochOf: (task, attempt) => assigned.get(`${task}#${attempt}`)?.epoch ?? 0,
    began(task, attempt) {
      look();
      const isDurable = assigned.has(`${task}#${attempt}`);
      claim(isDurable, "durable first", () => `attempt ${attempt} of ${task} runs, and the journal doesn't say so`);
      performed.began.add(`${task}#${attempt}`);
    },
    gave(task, attempt, output) {
      const key = `${task}#${attempt}`;
      performed.outputs.set(key, (performed.outputs.get(key) ?? new Set()).add(output));
    },
    effect(id, attempt, key) {
      const task = tasks.get(id);
      const isKnown = task?.attempt === attempt && task.given.has(key);
      claim(
        !isKnown,
        "effects",
        () => `effect ${key} of ${id} is run again in attempt ${attempt}, and was recorded before`,
      );
    },
    secret(task, attempt, name, value) {
      const since = vault.since(name, assigned.get(`${task}#${attempt}`)?.at ?? 0);
      const isRight = value !== undefined && since.includes(value as string);
      const text = (): string =>
        `attempt ${attempt} of ${task} got ${String(value)} for ${name}, it was ${since.join()}`;
      claim(isRight, "secrets", text);
    },
    told(page, text) {
      checkText(claim, `what ${page} is told`, text);
    },
  };
}

interface Reading {
  readonly claim: Claim;
  readonly rules: readonly Rules[];
  readonly events: JournalEvent[];
  readonly assigned: Map<string, Assigned>;
  readonly payloads: PayloadRules;
  readonly now: () => number;
}

/** Reads batches, one after the other: their order, their owner, and each event by its rules. */
function createReader({ claim, rules, events, assigned, payloads, now }: Reading): (written: Written) => void {
  let time = 0;
  return (written) => {
    const { batch, epoch, owner, by } = written;
    const isMarked = batch.text.includes(String.raw`\u001a`);
    payloads.batch(written);
    const text = (): string => `${by.name} of epoch ${epoch} has written while epoch ${owner} owns the journal`;
    claim(epoch === owner, "owner", text);
    claim(batch.from === events.length + 1, "order", () => `event ${batch.from} was written after ${events.length}`);
    for (const event of JSON.parse(batch.text) as JournalEvent[]) {
      claim(event.at >= time, "order", () => `${event.type} is of ${event.at}, after one of ${time}`);
      time = event.at;
      events.push(event);
      const { id, attempt } = event.data;
      if (event.type === "task.assigned") assigned.set(`${String(id)}#${String(attempt)}`, { at: now(), epoch });
      payloads.event(event, epoch, isMarked);
      for (const some of rules) if (Object.hasOwn(some, event.type)) some[event.type]?.(event.data, event.at);
    }
    claim(batch.to === events.length, "order", () => `event ${batch.to} ends a batch up to ${events.length}`);
  };
}

/** A page hears what is durable, all of it, in order; it may miss some only while it looks for a host. */
function createListener(page: string, oracle: Oracle): ReturnType<Oracle["listener"]> {
  let next: readonly number[] = [0]; // where the next event may stand: more than one place while equal ones are there
  let mayJump = true;
  return {
    again() {
      mayJump = true;
    },
    hear(event) {
      oracle.look();
      const { events, claim } = oracle;
      const text = textOf(event);
      const first = Math.min(...next);
      const places = mayJump ? Array.from({ length: events.length - first }, (_none, at) => first + at) : next;
      const found = places.filter((place) => events[place]?.type === event.type && textOf(events[place]) === text);
      const isDurable = found.length > 0 || events.some((one) => textOf(one) === text);
      claim(isDurable, "durable first", () => `${page} hears of ${text}, which isn't in the journal`);
      claim(
        !isDurable || found.length > 0,
        "events",
        () => `${page} hears of ${text}, and ${textOf(events[first])} comes next`,
      );
      if (found.length === 0) return;
      next = found.map((place) => place + 1);
      mayJump = false;
    },
  };
}

const textOf = (event: JournalEvent | undefined): string => JSON.stringify([event?.type, event?.data, event?.at]);
