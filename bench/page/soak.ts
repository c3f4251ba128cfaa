/** A soak of messages: one page sends and holds the journal's events against what was promised, others take until they are killed. */
import { connect, type Runtime } from "../../src/index.ts";
import type { OutgoingMessage, ReceivedMessage } from "../../src/messages.ts";

const ASSETS = "/bench/dist/host/";
const BOXES = ["soak", "agent:mail"];
const KEYS = 512;
/** Tasks that take from the agent's mailbox: as many as two tabs have slots. */
const AGENTS = 64;
/** Messages that are not settled yet, at most. */
const OPEN = 4_000;
/** So many are sent, taken and acknowledged together, where they are batched. */
const TOGETHER = 250;

export interface Soaked {
  readonly sent: number;
  readonly acked: number;
  readonly buried: Readonly<Record<string, number>>;
  readonly redelivered: number;
  readonly perSecond: number;
  readonly lost: number;
  /** Whether the audit log is what was written, and how long it is. */
  readonly audit: string;
  readonly problems: readonly string[];
}

interface Known {
  readonly row: string;
  readonly expiresAt: number;
  delivery: number;
}

/** What was promised, by the journal's own words. */
class Witness {
  readonly open = new Map<string, Known>();
  /** What isn't settled yet of each recipient and key, oldest first. */
  readonly rows = new Map<string, Set<string>>();
  readonly problems: string[] = [];
  readonly buried: Record<string, number> = {};
  sent = 0;
  acked = 0;
  redelivered = 0;

  watch(runtime: Runtime): void {
    runtime.on("mail.sent", ({ id, key = id, recipient, expiresAt }) => {
      const row = `${recipient} ${key}`;
      this.open.set(id, { row, expiresAt, delivery: 0 });
      this.rows.set(row, (this.rows.get(row) ?? new Set()).add(id));
      this.sent++;
    });
    runtime.on("mail.delivered", ({ id, delivery, at }) => {
      const known = this.open.get(id);
      if (!known) this.problems.push(`${id} is delivered though it is settled`);
      else {
        if (at >= known.expiresAt) this.problems.push(`${id} is delivered after it has expired`);
        if (delivery !== ++known.delivery) this.problems.push(`${id} has delivery ${String(delivery)}`);
        if (delivery > 1) this.redelivered++;
        if (this.rows.get(known.row)?.values().next().value !== id) this.problems.push(`${id} is out of order`);
      }
    });
    runtime.on("mail.acked", ({ id }) => {
      this.settle(id);
      this.acked++;
    });
    runtime.on("mail.buried", ({ id, cause }) => {
      this.settle(id);
      this.buried[cause] = (this.buried[cause] ?? 0) + 1;
    });
  }

  settle(id: string): void {
    const known = this.open.get(id);
    if (!known) {
      this.problems.push(`${id} is settled twice`);
      return;
    }
    this.open.delete(id);
    const row = this.rows.get(known.row);
    row?.delete(id);
    if (row?.size === 0) this.rows.delete(known.row);
  }
}

const pause = (milliseconds: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, milliseconds));
const pick = <T>(list: readonly T[]): T => list[Math.floor(Math.random() * list.length)] as T;

/** Sends for so long, then waits until everything is settled. */
export async function soak(name: string, milliseconds: number, batched: boolean): Promise<Soaked> {
  const runtime = await connect({ name, assets: ASSETS });
  const witness = new Witness();
  witness.watch(runtime);
  const began = Date.now();
  const end = began + milliseconds;
  const input = { end: end + 20_000, together: batched ? TOGETHER : 1 };
  const takeOn = (): string => runtime.createTask({ capabilities: ["mail"], input, timeout: milliseconds + 60_000 });
  for (let at = 0; at < AGENTS; at++) takeOn();
  runtime.on("task.failed", takeOn); // a task whose worker was killed fifty times isn't tried again
  let number = 0;
  const post = (): Promise<string> => runtime.sendMessage(draft(++number));
  const send = async (): Promise<void> => {
    while (Date.now() < end)
      if (witness.open.size > OPEN) await pause(5);
      else if (batched) await Promise.all(Array.from({ length: TOGETHER }, post));
      else await post();
  };
  await Promise.all(Array.from({ length: batched ? 8 : 256 }, send));
  const took = Date.now() - began;
  for (let waited = 0; witness.open.size > 0 && waited < 60_000; waited += 100) await pause(100);
  const { sent, acked, buried, redelivered, problems, open } = witness;
  const perSecond = Math.round((acked * 1_000) / took);
  const verdict = await runtime.audit.verify();
  const audit = verdict.ok
    ? `${String(verdict.lines)} lines verified, from event ${String(verdict.from)}`
    : `line ${String(verdict.line)}: ${verdict.problem}`;
  if (!verdict.ok) problems.push(audit);
  await runtime.close();
  return { audit, sent, acked, buried, redelivered, perSecond, lost: open.size, problems: problems.slice(0, 20) };
}

/** One in twenty lives for 100 ms only, every second one has a key. */
function draft(n: number): OutgoingMessage {
  return {
    type: "status_update",
    recipient: pick(BOXES),
    payload: { status: "ok", n },
    ackWait: 2_000,
    maxDeliveries: 50,
    backoff: 50,
    priority: pick(["urgent", "high", "normal", "low"]),
    ttl: n % 20 === 0 ? 100 : 600_000,
    ...(n % 2 === 0 && { key: `k${String(n % KEYS)}` }),
  };
}

/** Takes messages until the page is gone: most are acknowledged, some given back, some forgotten. Offers the agent, too. */
export async function consume(name: string, batched: boolean): Promise<void> {
  const runtime = await connect({ name, assets: ASSETS });
  await runtime.registerAgent({ url: "/bench/dist/mail-agent.js", trusted: true, workers: 2 });
  const settle = async (message: ReceivedMessage): Promise<void> => {
    const dice = Math.random();
    if (dice < 0.001) return; // forgotten: it comes again
    const answering = dice < 0.03 ? message.nak(Math.random() * 50 > 25 ? 0 : 20) : message.ack();
    await answering.catch(() => undefined); // it was too late
  };
  const work = async (): Promise<void> => {
    for (;;) {
      const some = await runtime.messages.take("soak", { max: batched ? TOGETHER : 8, wait: 1_000 });
      if (batched) await Promise.all(some.map(settle));
      else for (const message of some) await settle(message);
    }
  };
  for (let at = 0; at < (batched ? 4 : 96); at++) void work();
}
