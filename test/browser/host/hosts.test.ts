/** Hosts: how one is found, what happens when it is another one, and when its storage goes. */
import { expect } from "chai";
import type { Mode, Runtime } from "../../../src/client/runtime.ts";
import { RuntimeError } from "../../../src/core/errors.ts";
import type { Journal } from "../../../src/core/ports.ts";
import { createIndexedDbJournal } from "../../../src/plugins/journals/indexeddb.ts";
import { AGENT, deleteJournal, eventsOf, rejection, until, type HereOptions } from "../../fixtures/host/page.ts";
import { ownRuntimes } from "../../fixtures/host/suite.ts";
import { watchJournal } from "../../fixtures/host/watched-journal.ts";
import type { Write } from "../../fixtures/host/versioned-worker.ts";

const missing = (what: string): URL => new URL(`./no-such-${what}.js`, import.meta.url);
const sharedURL = new URL("../../../src/workers/shared-worker.ts", import.meta.url);
const electedURL = new URL("../../../src/workers/elected-worker.ts", import.meta.url);
const ALL: readonly Mode[] = ["shared", "elected", "page"];

const shared =
  (url: URL, prefix = "troupe:1:") =>
  (name: string): SharedWorker =>
    new SharedWorker(url, { type: "module", name: `${prefix}${name}` });
const elected =
  (url: URL) =>
  (name: string): Worker =>
    new Worker(url, { type: "module", name: `troupe:1:${name}` });

/** A task from a page to a cell and back. */
async function works(runtime: Runtime, value: unknown = "works"): Promise<void> {
  expect(await runtime.result(runtime.createTask({ capabilities: ["work"], input: { do: "echo", value } }))).to.equal(
    value,
  );
}

/** Each epoch is of one host. */
function versionOf(writes: readonly Write[], epoch: number): string | undefined {
  return writes.find((write) => write.epoch === epoch)?.version;
}

describe("hosts", () => {
  const suite = ownRuntimes("hosts");
  const { connect } = suite;

  describe("are found", () => {
    it("in a SharedWorker first", async () => {
      const runtime = await connect({
        modes: ALL,
        places: { shared: shared(sharedURL), elected: elected(electedURL) },
      });
      await runtime.registerAgent({ url: AGENT });
      await works(runtime);
      expect(runtime.mode).to.equal("shared");
    });

    it("in the worker of a tab when the SharedWorker can't be loaded", async () => {
      const places = { shared: shared(missing("shared")), elected: elected(electedURL) };
      const runtime = await connect({ modes: ALL, places });
      await runtime.registerAgent({ url: AGENT });
      await works(runtime);
      expect(runtime.mode).to.equal("elected");
    });

    it("in the page when no worker can be loaded", async () => {
      const page = (await import("../../../src/workers/boot.ts")).bootHost;
      const places = {
        shared: shared(missing("shared")),
        elected: elected(missing("elected")),
        page: () =>
          Promise.resolve(
            page({
              name: suite.name,
              place: "page",
              version: "0.1.0",
              openJournal: () => createIndexedDbJournal({ name: suite.name }),
            }).close,
          ),
      };
      const runtime = await connect({ modes: ALL, places });
      await runtime.registerAgent({ url: AGENT });
      await works(runtime);
      expect(runtime.mode).to.equal("page");
    });

    it("nowhere: host/unavailable, and all that was tried", async () => {
      const places = {
        shared: shared(missing("shared")),
        elected: elected(missing("elected")),
        page: () => Promise.reject(new Error("not in this page")),
      };
      const error = await rejection(connect({ modes: ALL, places }));
      expect(error.code).to.equal("host/unavailable");
      const tried = error.detail["tried"] as string[];
      expect(tried.map((line) => line.split(":")[0])).to.deep.equal(ALL);
      expect(tried[2]).to.include("not in this page");
      const none = await rejection(connect({ modes: ["shared"], places: {} }));
      expect(none).to.deep.include({ code: "host/unavailable", detail: { tried: ["shared: not here"] } });
    });

    it("over the channel when a SharedWorker hosts and this page can't have it", async () => {
      const first = await connect({ modes: ALL, places: { shared: shared(sharedURL) } });
      const second = await connect({ modes: ALL, places: { elected: elected(electedURL) } });
      expect(second.mode, "where the host is, not where the page looked").to.equal("shared");
      await second.registerAgent({ url: AGENT });
      await works(first);
      await works(second);
      expect(second.store.getState().epoch).to.equal(first.store.getState().epoch);
    });
  });

  it("are one, though two deployments have a SharedWorker each; it moves when the first one's pages go", async () => {
    const other = new URL("../../../src/workers/shared-worker.ts?other-deployment", import.meta.url);
    const first = await connect({ modes: ["shared"], places: { shared: shared(sharedURL) } });
    const second = await connect({ modes: ["shared"], places: { shared: shared(other) } });
    for (const runtime of [first, second]) await runtime.registerAgent({ url: AGENT });
    await works(second, "over the channel");
    expect(second.store.getState().epoch).to.equal(first.store.getState().epoch);
    const task = second.createTask({ capabilities: ["work"], input: { do: "wait", ms: 300, value: "moved" } });
    await first.close(); // its SharedWorker stays while this page does, and serves on
    expect(await second.result(task)).to.equal("moved");
  });

  it("that are re-run silently under their pages are resynchronised, and each command is decided once", async () => {
    const rerun = new BroadcastChannel(`rerun:${suite.name}`);
    const url = new URL("../../fixtures/host/rerun-worker.ts", import.meta.url);
    const places = { shared: shared(url, "") };
    const [first, second] = [
      await connect({ modes: ["shared"], places }),
      await connect({ modes: ["shared"], places }),
    ];
    await first.registerAgent({ url: AGENT });
    let changed = 0;
    first.on("host-changed", () => changed++);
    const ids: string[] = [];
    for (let round = 0; round < 6; round++) {
      for (const runtime of [first, second])
        for (let at = 0; at < 10; at++) {
          ids.push(runtime.createTask({ capabilities: ["work"], input: { do: "echo", value: at } }));
          if (at === 5) rerun.postMessage(0);
          if (at % 4 === 0) await Promise.resolve();
        }
      const mine = ids.slice(-20);
      await Promise.all(mine.map((id, at) => (at < 10 ? first : second).result(id)));
    }
    rerun.close();
    expect(changed).to.be.at.least(3); // of twelve: two that follow closely are one change to a page
    await until(second, ({ seq }) => seq >= first.store.getState().seq);
    await Promise.all([first.close(), second.close()]);
    await new Promise((resolve) => setTimeout(resolve, 200)); // the worker ends with its pages
    const events = await eventsOf(suite.name);
    for (const type of ["task.created", "task.completed"]) {
      const seen = events.filter((event) => event.type === type).map(({ data }) => data["id"]);
      expect(seen.sort(), type).to.deep.equal([...ids].sort());
    }
  }).timeout(60_000);

  it("of a newer version take over; the older pages go on with them, and never do two write", async () => {
    const epochs: number[] = [];
    const openJournal = (): Journal => watchJournal(suite.name, (epoch) => epochs.push(epoch));
    const old = await connect({ version: "0.1.0", openJournal });
    await old.registerAgent({ url: AGENT });
    await works(old, "before");
    const epoch = old.store.getState().epoch;
    const newer = await connect({ version: "0.2.0", openJournal });
    await until(newer, (state) => state.status === "ready" && state.epoch > epoch);
    await works(newer, "newer");
    await works(old, "older page, newer host");
    const older = await connect({ version: "0.1.5", openJournal });
    await works(older, "between");
    expect(older.store.getState().epoch).to.equal(newer.store.getState().epoch);
    expect(epochs, "no host wrote after a later one").to.deep.equal([...epochs].sort((a, b) => a - b));
  }).timeout(60_000);

  it("of two versions in two SharedWorkers end up with the newer one, which alone writes", async () => {
    const channel = new BroadcastChannel(`writes:${suite.name}`);
    const writes: Write[] = [];
    channel.onmessage = ({ data }: MessageEvent<Write>) => writes.push(data);
    const of = (version: string): HereOptions => {
      const url = new URL(`../../fixtures/host/versioned-worker.ts?version=${version}`, import.meta.url);
      return { version, modes: ["shared"], places: { shared: shared(url, "") } };
    };
    const old = await connect(of("0.1.0"));
    await old.registerAgent({ url: AGENT });
    const underway = [1, 2, 3].map((value) =>
      old.result(old.createTask({ capabilities: ["work"], input: { do: "wait", ms: 200, value } })),
    );
    const newer = await connect(of("0.2.0"));
    await newer.registerAgent({ url: AGENT });
    await Promise.all([old, newer].map((runtime) => works(runtime, runtime.session)));
    expect(await Promise.all(underway)).to.deep.equal([1, 2, 3]);
    await until(old, ({ status, epoch }) => status === "ready" && epoch > 1);
    await until(newer, ({ status, epoch }) => status === "ready" && epoch > 1);
    await Promise.all([old, newer].map((runtime) => works(runtime, `${runtime.session} again`)));
    expect([old.mode, newer.mode]).to.deep.equal(["shared", "shared"]);
    const last = writes.at(-1);
    channel.close();
    expect(last?.version).to.equal("0.2.0");
    const inOrder = [...writes].sort((a, b) => a.head - b.head);
    expect(new Set(inOrder.map(({ head }) => head)).size, "one batch after each").to.equal(writes.length);
    const epochs = inOrder.map(({ epoch }) => epoch);
    expect(epochs).to.deep.equal([...epochs].sort((a, b) => a - b));
    for (const { version, epoch } of writes) expect([version, epoch]).to.deep.equal([versionOf(writes, epoch), epoch]);
  }).timeout(60_000);

  it("tell pages of another protocol that they can't talk", async () => {
    await connect();
    const channel = new BroadcastChannel(`troupe:${suite.name}`);
    const answer = new Promise<{ kind: string; error: { code: string } }>((resolve) => {
      channel.onmessage = ({ data }: MessageEvent<{ page: string; frame: never }>) => {
        if (data.page === "stranger") resolve(data.frame);
      };
    });
    const frame = { kind: "hello", protocol: 99, version: "9.0.0", session: "stranger", lock: "x" };
    channel.postMessage({ to: "host", from: "stranger", frame });
    const { kind, error } = await answer;
    channel.close();
    expect([kind, error.code]).to.deep.equal(["stopped", "host/incompatible"]);
  });

  describe("whose storage goes", () => {
    it("say so: deleted under a live host, and the next one is another database", async () => {
      const runtime = await connect();
      await runtime.registerAgent({ url: AGENT });
      await works(runtime);
      const lost = new Promise<{ database: string; before: string }>((resolve) => runtime.on("storage-lost", resolve));
      const waiting = runtime.createTask({ capabilities: ["nobody"] });
      await runtime.settled(waiting);
      const result = rejection(runtime.result(waiting));
      await deleteJournal(suite.name);
      const { database, before } = await lost;
      expect(database).to.not.equal(before);
      expect((await result).code).to.equal("task/unknown");
      expect(runtime.tasks.size).to.equal(0);
      await runtime.registerAgent({ url: AGENT });
      await works(runtime, "again");
    });

    it("show that the quota is full, lose nothing, and go on when there is space", async () => {
      let isFull = false;
      const openJournal = (): Journal => {
        const journal = createIndexedDbJournal({ name: suite.name });
        return {
          ...journal,
          append(head, batch) {
            if (isFull) return Promise.reject(new RuntimeError("journal/quota", { name: suite.name }));
            return journal.append(head, batch);
          },
        };
      };
      const runtime = await connect({ openJournal });
      await runtime.registerAgent({ url: AGENT });
      await works(runtime);
      isFull = true;
      const id = runtime.createTask({ capabilities: ["work"], input: { do: "echo", value: "kept" } });
      await until(runtime, ({ error }) => error?.code === "journal/quota");
      expect(runtime.store.getState().status).to.equal("connecting");
      isFull = false;
      expect(await runtime.result(id)).to.equal("kept");
      await until(runtime, ({ status, error }) => status === "ready" && error === undefined);
      await works(runtime);
    });

    it("tell why they can't start, and start when they can", async () => {
      const raw = await new Promise<IDBDatabase>((resolve) => {
        const request = indexedDB.open(`troupe:${suite.name}`, 1);
        request.onsuccess = () => {
          resolve(request.result);
        };
      });
      const deleting = indexedDB.deleteDatabase(`troupe:${suite.name}`); // waits for `raw`, and so does who opens
      const openJournal = (): Journal => createIndexedDbJournal({ name: suite.name, patience: 500 });
      const error = await rejection(connect({ openJournal, timeout: 3_000 }));
      expect(error.code).to.equal("journal/blocked");
      const connecting = connect({ openJournal });
      raw.close();
      await new Promise((resolve) => {
        deleting.onsuccess = resolve;
      });
      const runtime = await connecting;
      await runtime.registerAgent({ url: AGENT });
      await works(runtime);
    });
  });
});
