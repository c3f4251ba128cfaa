/** What has to be so at rest: nothing is open, every page shows the same, and a new host makes the same of the journal. */
import { digest } from "../../src/testing/simulation/sha256.ts";
import type { Runtime } from "../../src/client/runtime.ts";
import { createMemoryJournal } from "../../src/plugins/journals/memory.ts";
import { differenceOf } from "../../src/testing/claims.ts";
import type { Page, Site } from "../../src/testing/simulation/site.ts";
import type { Stage } from "./expecting.ts";
import { BOUND } from "./run.ts";

/** What isn't done yet, in words. */
export function whatIsOpen(site: Site, stage: Stage): string[] {
  const { oracle, open } = stage;
  const found = [...stage.due].map((number) => `deed ${number} is to be done`);
  for (const task of oracle.tasks.values())
    if (!task.ended) found.push(`task ${task.id} (attempt ${task.attempt}, ${task.link ?? "no worker"})`);
  for (const run of oracle.runs.values()) if (!run.ended) found.push(`run ${run.id} of ${run.workflow}`);
  for (const mail of oracle.mails.values())
    if (!mail.ended) found.push(`message ${mail.id} (delivery ${mail.delivery})`);
  for (const id of oracle.approvals.keys()) found.push(`approval ${id}`);
  for (const { page, about } of open.values())
    if (page.process.alive) found.push(`${page.process.name} waits: ${about}`);
  for (const { process, runtime } of site.pages)
    if (runtime?.store.getState().status !== "ready") found.push(`${process.name} has no host`);
  return found;
}

export async function checkRest(site: Site, stage: Stage, openPage: () => void): Promise<void> {
  const { oracle, sure, stopped, acknowledged } = stage;
  if (oracle.violations.length > 0) return;
  const open = whatIsOpen(site, stage);
  oracle.claim(
    open.length === 0,
    "liveness",
    () => `after ${BOUND} ms without faults: ${open.slice(0, 8).join("; ")} (${open.length} in all)`,
  );
  for (const id of acknowledged) {
    const isThere = oracle.tasks.has(id) || oracle.aliases.has(id) || oracle.runs.has(id);
    oracle.claim(isThere, "acknowledged", () => `${id} was acknowledged, and is gone`);
  }
  for (const [id, expected] of sure) {
    const run = oracle.runs.get(id);
    if (!run || stopped.has(id)) continue;
    const text = JSON.stringify(expected);
    oracle.claim(
      run.output === text,
      "outcome",
      () => `run ${id} of ${run.workflow} is ${run.ended ?? "open"} with ${run.output ?? "nothing"}, expected ${text}`,
    );
  }
  if (oracle.violations.length > 0) return;
  await pass(site, 2_000);
  oracle.payloads.checkRest(site.disk.history.at(-1)?.owner ?? 0);
  await checkMirrors(site, stage, openPage);
  await checkAudit(site, stage);
}

async function pass({ world }: Site, ms: number): Promise<void> {
  const end = world.now() + ms;
  world.plan(world.machine, ms, "time passes", () => undefined);
  await world.run(() => world.now() >= end);
}

/** Pages that were there all the time, one that comes now, and one that comes to a new host. */
async function checkMirrors(site: Site, stage: Stage, openPage: () => void): Promise<void> {
  const { oracle } = stage;
  const before = [...site.pages];
  openPage();
  await pass(site, 3_000);
  const [newcomer] = [...site.pages].filter((page) => !before.includes(page));
  const fresh = newcomer?.runtime;
  oracle.claim(fresh !== undefined, "liveness", () => "a page that comes at rest finds no host");
  if (!fresh) return;
  for (const page of before) compare(stage, page, fresh, "a page that came later");
  const shown = pictureOf(fresh);
  const { agents, limits } = fresh.store.getState();
  for (const { id, running } of [...agents.values(), ...limits.values()])
    oracle.claim(running === 0, "slots", () => `nothing runs any more, and ${running} slots of ${id} are taken`);
  for (const host of site.living("host")) site.world.kill(host, "to begin anew from the journal");
  openPage();
  await pass(site, 20_000);
  for (const page of site.pages) {
    const difference = page.runtime && differenceOf(withoutLinks(pictureOf(page.runtime)), withoutLinks(shown), "");
    oracle.claim(
      page.runtime !== undefined,
      "liveness",
      () => `${page.process.name} finds no host after a restart at rest`,
    );
    oracle.claim(difference === undefined, "fold", () => `${page.process.name} of a new host: ${difference ?? ""}`);
  }
}

function compare({ oracle }: Stage, { process, runtime }: Page, fresh: Runtime, than: string): void {
  if (!runtime) return;
  const difference = differenceOf(pictureOf(runtime), pictureOf(fresh), "");
  oracle.claim(
    difference === undefined,
    "mirrors",
    () => `${process.name} shows another picture than ${than}: ${difference ?? ""}`,
  );
}

/** What lives, as a page shows it. */
function pictureOf(runtime: Runtime): Record<string, unknown> {
  const { tasks, executions, approvals, agents, limits } = runtime.store.getState();
  const live = <T extends { readonly finishedAt?: number | undefined }>(table: ReadonlyMap<string, T>): T[] =>
    [...table.values()].filter(({ finishedAt }) => finishedAt === undefined);
  const parts = {
    tasks: live(tasks),
    executions: live(executions),
    approvals: [...approvals.values()],
    agents: [...agents.values()],
    limits: [...limits.values()],
  };
  return Object.fromEntries(
    Object.entries(parts).map(([name, list]) => [name, Object.fromEntries(list.map((one) => [one.id, plain(one)]))]),
  );
}

const plain = (value: unknown): unknown => JSON.parse(JSON.stringify(value));

/** Workers come and go with hosts; what was durable stays. */
function withoutLinks(picture: Record<string, unknown>): Record<string, unknown> {
  const agents = Object.values((picture["agents"] ?? {}) as Record<string, Record<string, unknown>>).map(
    ({ links: _links, status: _status, running: _running, capacity: _capacity, ...rest }) => rest,
  );
  return { ...picture, agents };
}

interface AuditLine {
  readonly n: number;
  readonly prev: string;
  readonly batch: string;
  readonly from: number;
  readonly to: number;
}

/** The log as it lies on the disk: a chain of lines, each of one batch that was written. */
async function checkAudit({ disk }: Site, { oracle }: Stage): Promise<void> {
  const journal = createMemoryJournal({ disk: disk.memory });
  await journal.open();
  const texts = (await journal.audit?.read(0, 1e9)) ?? [];
  const end = await journal.audit?.end();
  await journal.close();
  let hash = "0".repeat(64);
  const batches = new Map(disk.history.map(({ batch }) => [batch.from, batch]));
  for (const [place, text] of texts.entries()) {
    const { n, prev, batch, from, to } = JSON.parse(text) as AuditLine;
    const written = batches.get(from);
    oracle.claim(
      n === place + 1 && prev === hash,
      "audit",
      () => `line ${place + 1} of the audit log doesn't follow the one before`,
    );
    oracle.claim(
      written?.to === to && digest(written.text) === batch,
      "audit",
      () => `line ${n} isn't of the batch from ${from} on`,
    );
    hash = digest(text);
  }
  oracle.claim(
    end?.hash === hash && texts.length === disk.history.length,
    "audit",
    () => `the log has ${texts.length} lines for ${disk.history.length} batches, and ends with ${end?.hash ?? ""}`,
  );
}
