/** The faults of the matrix. Each gives what happens, in the words of docs/reliability.md; what must never happen fails. */
import assert from "node:assert/strict";
import { cpSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { makeProfile, type Browser, type Page } from "../../harness/browsers.ts";
import { busiest } from "../../harness/processes.ts";
import { attempt, begin, judge, midway, tab, type Mode, type Scene } from "./run.ts";

export type Fault = (scene: Scene) => Promise<string>;

const MiB = 1_024 * 1_024;

/** By the words of the table's rows. */
export const FAULTS: Readonly<Record<string, Fault>> = {
  "the only tab is closed, another is opened later": async (scene) => {
    const browser = await scene.open();
    const page = await tab(scene, browser);
    await midway(page);
    await page.close();
    return judge(scene, await tab(scene, browser));
  },
  "one of two tabs is closed: the host's, where a tab is the host": async (scene) => {
    const browser = await scene.open();
    const first = await tab(scene, browser, ["elected"]);
    const second = await tab(scene, browser, ["elected"]);
    await midway(first);
    await first.close();
    const outcome = await judge(scene, second);
    const { epochs } = await second.evaluate((of) => Suite.tally(of), scene.name);
    assert.ok(epochs.length >= 2, "the other tab became the host");
    return outcome;
  },
  "the tab is reloaded": async (scene) => {
    const page = await tab(scene, await scene.open());
    await midway(page);
    await page.reload();
    await begin(scene, page);
    return judge(scene, page);
  },
  "the page goes into the back/forward cache and comes back": backAndForth,
  "the tab is frozen (its process is stopped), another is open": frozen,
  "the whole machine sleeps: every process of the browser stands still for 3 s": async (scene) => {
    const browser = await scene.open({});
    const page = await tab(scene, browser);
    await midway(page);
    browser.signal("SIGSTOP");
    await sleep(3_000);
    browser.signal("SIGCONT");
    return judge(scene, page);
  },
  "kill -9 of a tab's process, which is the host; another is open": async (scene) => {
    if (scene.engine === "webkit") return "not tried: its automation ends with it";
    const browser = await scene.open({});
    const host = await tab(scene, browser, ["elected"]);
    const other = await tab(scene, browser, ["elected"]);
    const [own, pid] = [await processOf(browser, other), await processOf(browser, host)];
    if (own === pid) return "not tried: both tabs are in one process";
    await midway(other);
    process.kill(pid, "SIGKILL");
    return judge(scene, other);
  },
  "kill -9 of the whole browser, which is started again": async (scene) => {
    if (scene.engine === "webkit") return "not tried: its storage ends with its automation";
    const browser = await scene.open({ profile: scene.profile });
    await midway(await tab(scene, browser));
    await browser.kill();
    return judge(scene, await tab(scene, await scene.open({ profile: scene.profile })));
  },
  "two versions of the library at once, the newer one comes second": (scene) => versions(scene, "/page", "/newer/page"),
  "two versions of the library at once, the older one comes second": (scene) => versions(scene, "/newer/page", "/page"),
  "a private window": async (scene) => {
    const page = await tab(scene, await scene.open({ private: true }));
    await midway(page);
    await page.reload();
    await begin(scene, page);
    return `${await judge(scene, page)}, until the window is closed`;
  },
  "no SharedWorker": async (scene) => {
    const page = await scene.open().then((browser) => browser.newPage(`${scene.site.origin}/without`));
    assert.equal(await begin(scene, page), "elected");
    await midway(page);
    return `${await judge(scene, page)}, a tab's worker is the host`;
  },
  "the database was made by a newer release": (scene) => outcomeOf(scene, "opened as version 2", newer, newer),
  "another tab holds up the database's deletion": (scene) => outcomeOf(scene, "held open", hold, letGo),
  "the quota is full": quota,
  "the site's storage is deleted under a run": deleted,
  "a power cut, as a copy of the profile at an instant shows it": powerCut,
  "a power cut": durability,
};

async function backAndForth(scene: Scene): Promise<string> {
  const page = await tab(scene, await scene.open());
  await midway(page);
  await page.evaluate(() => {
    (globalThis as { isOld?: boolean }).isOld = true;
    location.href = "/other";
  });
  await arrive(page, "/other");
  await page.evaluate(() => {
    history.back();
  });
  await arrive(page, "/page");
  if (await page.evaluate(() => (globalThis as { isOld?: boolean }).isOld === true)) return judge(scene, page);
  await begin(scene, page);
  return `${await judge(scene, page)}, in a page that the browser loaded anew`;
}

/** Navigations that the page itself begins can't be awaited in every driver. */
async function arrive(page: Page, path: string): Promise<void> {
  for (;;) {
    const at = await page.evaluate(() => [location.pathname, typeof Suite] as const).catch(() => []);
    if (at[0] === path && at[1] === "object") return;
    await sleep(50);
  }
}

/** The page computes for a while, which shows which process is its own. */
function processOf(browser: Browser, page: Page): Promise<number> {
  return busiest(browser.pid ?? 0, () =>
    page.evaluate(() => {
      for (const end = performance.now() + 1_000; performance.now() < end;);
    }),
  );
}

async function frozen(scene: Scene): Promise<string> {
  const browser = await scene.open({});
  const host = await tab(scene, browser, ["elected"]);
  const other = await tab(scene, browser, ["elected"]);
  const [own, pid] = [await processOf(browser, host), await processOf(browser, other)];
  if (own === pid) return "not tried: both tabs are in one process";
  await midway(other, "impatient");
  process.kill(pid, "SIGSTOP");
  try {
    await host.evaluate(() => Suite.result("run"));
  } finally {
    process.kill(pid, "SIGCONT");
  }
  // It thaws, says what it had to say, and is of use again.
  const id = await other.evaluate(() => Suite.handle().createTask({ capabilities: ["work"], input: { do: "echo" } }));
  await other.evaluate((of) => Suite.result(of), id);
  await other.evaluate(() => Suite.close());
  await judge(scene, host, 1);
  const { assignments } = await host.evaluate((of) => Suite.tally(of), scene.name);
  assert.ok(assignments.some((times) => times > 1), "it had an attempt when it froze"); // prettier-ignore
  return "goes on, in the other tab";
}

/** The run is begun by one and ends in the other; both have the same host, and only the newer one is host in the end. */
async function versions(scene: Scene, ...paths: readonly [first: string, second: string]): Promise<string> {
  const browser = await scene.open();
  const modes: readonly Mode[] = ["elected"]; // the shared workers of two addresses would be two hosts in any case
  const first = await tab(scene, browser, modes, paths[0]);
  await midway(first);
  const second = await tab(scene, browser, modes, paths[1]);
  await first.evaluate(() => Suite.result("run"));
  const [one, other] = [await first.evaluate(() => Suite.picture()), await second.evaluate(() => Suite.picture())];
  assert.equal(one.epoch, other.epoch, "one host for both");
  await first.evaluate(() => Suite.close());
  return judge(scene, second);
}

/** Before a connection: the code of its error. After what was in the way is gone: that it works. */
async function outcomeOf(
  scene: Scene,
  what: string,
  before: (page: Page, name: string) => Promise<void>,
  after: (page: Page, name: string) => Promise<void>,
): Promise<string> {
  const browser = await scene.open();
  const blocker = await browser.newPage(`${scene.site.origin}/page`);
  await before(blocker, scene.name);
  const page = await browser.newPage(`${scene.site.origin}/page`);
  const code = await attempt(page, scene.name);
  assert.match(code, /^(?:journal|host|runtime)\/[a-z-]+$/u, `${what}: it said ${code}`);
  await page.close();
  if (before === after) return `fails with \`${code}\`, changes nothing`;
  await after(blocker, scene.name);
  const next = await tab(scene, browser);
  await midway(next);
  return `fails with \`${code}\`; ${await judge(scene, next)} when it is free`;
}

function newer(page: Page, name: string): Promise<void> {
  return page.evaluate(
    (of) =>
      new Promise<void>((resolve, reject) => {
        const request = indexedDB.open(`troupe:${of}`, 2);
        request.onsuccess = () => {
          request.result.close();
          resolve();
        };
        request.onerror = () => {
          reject(request.error ?? new Error("it wasn't opened"));
        };
      }),
    name,
  );
}

/** A connection that takes no notice of others, and a deletion that waits for it. */
function hold(page: Page, name: string): Promise<void> {
  return page.evaluate(
    (of) =>
      new Promise<void>((resolve, reject) => {
        const request = indexedDB.open(`troupe:${of}`, 1);
        request.onerror = () => {
          reject(request.error ?? new Error("it wasn't opened"));
        };
        request.onsuccess = () => {
          Object.assign(globalThis, { held: request.result });
          indexedDB.deleteDatabase(`troupe:${of}`).onblocked = () => {
            resolve();
          };
        };
      }),
    name,
  );
}

function letGo(page: Page): Promise<void> {
  return page.evaluate(() => {
    (globalThis as unknown as { held: IDBDatabase }).held.close();
  });
}

/** Tasks with large inputs until there is no space: a run that has begun ends, and in the end there is space again. */
async function quota(scene: Scene): Promise<string> {
  if (scene.engine === "webkit") return "not tried: its quota can't be set";
  const browser = await scene.open({ quota: 12 * MiB, profile: scene.profile });
  const page = await tab(scene, browser);
  await midway(page);
  const accepted = await page.evaluate(fill);
  assert.ok(accepted.length > 5, `it was full after ${String(accepted.length)}`);
  const answers = await page.evaluate(async ([first = ""]) => {
    const runtime = Suite.handle();
    const codeOf = (error: unknown): unknown => (error as { code?: unknown }).code;
    const small = runtime.settled(runtime.createTask({ capabilities: ["nobody"] })).then(() => "taken", codeOf);
    runtime.cancelTask(first, "no longer wanted");
    await runtime.settled(first);
    return [await small, runtime.tasks.get(first)?.status ?? "ended"];
  }, accepted);
  assert.deepEqual(answers, ["journal/quota", "cancelled"]);
  await page.evaluate(() => Suite.result("run"));
  await browser.kill();
  const next = await (await scene.open({ profile: scene.profile })).newPage(`${scene.site.origin}/page`);
  await begin(scene, next);
  const missing = await next.evaluate((ids) => ids.filter((id) => !Suite.handle().tasks.has(id)), accepted.slice(1));
  assert.deepEqual(missing, [], "what was accepted is there");
  await next.evaluate(() => Suite.handle().settled(Suite.handle().createTask({ capabilities: ["nobody"] })));
  return "takes nothing new: `journal/quota`; what has begun ends, or is cancelled; goes on when there is space";
}

/** Gives the tasks that were accepted. */
async function fill(): Promise<string[]> {
  const runtime = Suite.handle();
  const kept: string[] = [];
  for (let at = 0; at < 500; at++) {
    const noise = Array.from({ length: 20_000 }, () => Math.random().toString(36)).join("");
    const id = runtime.createTask({ capabilities: ["nobody"], input: noise });
    const code = await runtime.settled(id).then(
      () => undefined,
      (error: unknown) => (error as { code?: unknown }).code,
    );
    if (code === "journal/quota") return kept;
    if (code !== undefined) throw new Error(JSON.stringify(code));
    kept.push(id);
  }
  return [];
}

async function deleted(scene: Scene): Promise<string> {
  const browser = await scene.open();
  const page = await tab(scene, browser);
  await midway(page);
  await page.evaluate(async (name) => {
    const lost = new Promise((resolve) => Suite.handle().on("storage-lost", resolve));
    indexedDB.deleteDatabase(`troupe:${name}`);
    await lost;
  }, scene.name);
  await page.evaluate(() => Suite.close());
  const next = await tab(scene, browser);
  await midway(next);
  return `says \`storage-lost\`; ${(await judge(scene, next)).replace("goes on", "starts anew")}`;
}

/** What would lie on a disk that has no cache of its own, at some moment while the browser writes: there the run goes on. */
async function powerCut(scene: Scene): Promise<string> {
  if (scene.engine === "webkit") return "not tried: its storage ends with its automation";
  const browser = await scene.open({ profile: scene.profile });
  const page = await tab(scene, browser);
  await midway(page);
  await page.evaluate(() => {
    const handle = Suite.handle();
    const acknowledged: string[] = [];
    Object.assign(globalThis, { acknowledged });
    const write = async (): Promise<void> => {
      for (let n = 0; ; n++) {
        handle.setLimit(`limit ${n}`, { concurrency: n + 1 });
        await handle.settled(`limit ${n}`);
        acknowledged.push(`limit ${n}`);
      }
    };
    void write();
  });
  const listOf = (): Promise<string[]> =>
    page.evaluate(() => [...(globalThis as unknown as { readonly acknowledged: string[] }).acknowledged]);
  let known: string[] = [];
  while (known.length < 5) known = await listOf();
  await sleep(Math.random() * 50); // wherever in a commit that is
  browser.signal("SIGSTOP"); // no file changes while all are copied
  const copy = makeProfile();
  cpSync(scene.profile, copy, {
    recursive: true,
    filter: (path) => !/(?:Singleton\w+|\.parentlock|\/lock)$/u.test(path),
  });
  await browser.kill();
  const next = await tab(scene, await scene.open({ profile: copy }));
  const kept = await next.evaluate(() => [...Suite.handle().limits.keys()]);
  assert.deepEqual(
    known.filter((name) => !kept.includes(name)),
    [],
    "what was acknowledged is there",
  );
  return judge(scene, next);
}

/** A cut of the power can't be had here: that every commit asks for strict durability can be seen. */
async function durability(scene: Scene): Promise<string> {
  const browser = await scene.open();
  const page = await browser.newPage(`${scene.site.origin}/module`);
  const found = await page.evaluate(async (name) => {
    const asked: string[] = [];
    const { transaction } = IDBDatabase.prototype;
    IDBDatabase.prototype.transaction = function (this: IDBDatabase, ...args: Parameters<typeof transaction>) {
      const made = transaction.apply(this, args);
      if (made.mode === "readwrite" && made.objectStoreNames.contains("batches")) asked.push(made.durability);
      return made;
    };
    await Suite.begin({ name, modes: ["page"], assets: "/dist/" });
    await Suite.start("run", 3, 10);
    await Suite.result("run");
    return asked;
  }, scene.name);
  assert.ok(found.length > 5, `only ${String(found.length)} commits were seen`);
  return `every commit is \`${[...new Set(found)].join("`, `")}\``;
}
