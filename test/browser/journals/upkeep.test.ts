/** What the IndexedDB adapter does beside the port: its index, its reserve of space, its connections. */
import { expect } from "chai";
import { RuntimeError } from "../../../src/core/errors.ts";
import type { ArchiveRow, Batch, Journal } from "../../../src/core/ports.ts";
import { createIndexedDbJournal } from "../../../src/plugins/journals/index.ts";
import { META_KEY, type Meta } from "../../../src/plugins/journals/meta.ts";
import { seal, type Sealed } from "../../../src/plugins/journals/records.ts";
import { openHarness, type IndexedDbHarness } from "./indexeddb-harness.ts";

let harness: IndexedDbHarness;

/** Opens the journal of a new harness. */
async function begin(options: Parameters<typeof openHarness>[0] = {}): Promise<Journal> {
  harness = openHarness(options);
  return reopen();
}

async function reopen(): Promise<Journal> {
  const journal = harness.journal();
  await journal.open();
  return journal;
}

afterEach(() => harness.close());

function batch(head: number, size: number, archive: readonly ArchiveRow[] = []): Batch {
  return { from: head + 1, to: head + 1, at: head, text: `["${"x".repeat(size)}"]`, archive };
}

async function codeOf(promise: Promise<unknown>): Promise<string> {
  return promise.then(
    () => "done",
    (error: unknown) => (error instanceof RuntimeError ? error.code : String(error)),
  );
}

/** Keys of a table, past the journal. */
async function keysOf(table: string): Promise<IDBValidKey[]> {
  const db = await harness.raw();
  const keys = await db.getAllKeys(table);
  db.close();
  return keys;
}

describe("the index of the archive", () => {
  const idOf = (n: number): string => `e${n % 97}/${n}`;
  const rowsOf = (first: number, count: number): ArchiveRow[] =>
    Array.from({ length: count }, (_, at) => ({
      kind: "task",
      id: idOf(first + at),
      at: first,
      text: `{"n":${first + at}}`,
    }));

  async function fill(journal: Journal, count: number, each: number, head = 0): Promise<number> {
    for (let n = 0; n < count; n += each) {
      await journal.append(head, batch(head, 1, rowsOf(head * each, each)));
      head += 1;
    }
    return head;
  }
  const runs = async (): Promise<Set<number>> =>
    new Set((await keysOf("index")).map((key) => (key as [number, string])[0]).filter((run) => run > 0));

  it("merges runs, so that their number grows with the logarithm of the rows", async () => {
    const journal = await begin({ ballast: 0 });
    await fill(journal, 80_000, 4_000);
    await journal.close();
    expect((await runs()).size).to.be.lessThan(8);
    const later = await reopen();
    for (let n = 0; n < 80_000; n += 3_989) expect((await later.archived(idOf(n)))?.text).to.equal(`{"n":${n}}`);
  });

  it("gives the newest of many rows with one id, in runs and in what they are merged to", async () => {
    const journal = await begin({ ballast: 0 });
    for (let head = 0; head < 10; head++) {
      const rows = rowsOf(0, 5_000).map((row) => ({ ...row, text: `{"of":${head}}` }));
      await journal.append(head, batch(head, 1, rows));
    }
    for (const reader of [journal, await reopen()]) {
      for (let n = 0; n < 5_000; n += 487) expect((await reader.archived(idOf(n)))?.text).to.equal('{"of":9}');
      const { rows } = await reader.archive({ prefix: "e5/", limit: 1_000 });
      expect(rows.map(({ text }) => text)).to.deep.equal(rows.map(() => '{"of":9}'));
      await journal.close();
    }
  });

  it("sweeps away what a crash left of a run", async () => {
    const journal = await begin({ ballast: 0 });
    const head = await fill(journal, 5_000, 5_000);
    await journal.close();
    const db = await harness.raw();
    await db.put("index", { text: "[]", sum: "" }, [900, "left over"]);
    db.close();
    const later = await reopen();
    await fill(later, 5_000, 5_000, head);
    await later.close();
    expect([...(await runs())]).not.to.include(900);
    expect((await (await reopen()).archived(idOf(7_000)))?.text).to.equal('{"n":7000}');
  });

  it("can be lost while it is built, at any transaction", async () => {
    let journal = await begin({ ballast: 0 });
    let head = 0;
    for (; head < 7; head++) {
      await fill(journal, 5_000, 5_000, head);
      await journal.close(); // which waits for the run
      journal = await reopen();
    }
    expect((await runs()).size).to.equal(7);
    const refused: number[] = [];
    for (const bytes of [0, 100_000, 400_000, 900_000, 1_400_000]) {
      const space = harness.limit(Number.POSITIVE_INFINITY);
      const upkeep = fill(journal, 5_000, 5_000, head++);
      await upkeep.then(() => (space.left = bytes)); // the batch is in, its index is not
      await journal.close();
      refused.push(space.refused);
      space.end();
      journal = await reopen();
      for (let n = 0; n < head * 5_000; n += 4_999) {
        expect((await journal.archived(idOf(n)))?.text, `after ${bytes} bytes`).to.equal(`{"n":${n}}`);
      }
    }
    expect(refused.filter((times) => times > 0).length, `refused ${refused.join()}`).to.be.at.least(3);
    const { rows } = await journal.archive({ limit: 1_000, prefix: "e5/" });
    const expected = Array.from({ length: head * 5_000 }, (_, n) => idOf(n)).filter((id) => id.startsWith("e5/"));
    expect(rows.map(({ id }) => id)).to.deep.equal(expected.sort());
  });

  it("tells its damage from an id that is not there", async () => {
    const journal = await begin({ ballast: 0 });
    await fill(journal, 5_000, 5_000);
    await journal.close();
    const db = await harness.raw();
    for (const key of await db.getAllKeys("index")) {
      if ((key as [number, string])[0] > 0) await db.put("index", { text: "[]", sum: "0" }, key);
    }
    db.close();
    const later = await reopen();
    expect(await codeOf(later.archived("e5/5"))).to.equal("journal/corrupt");
    await later.append(1, batch(1, 1));
  });
});

describe("the reserve of space", () => {
  const SIZE = 100_000;

  async function enough(journal: Journal, head = 0): Promise<number> {
    await journal.append(head, batch(head, SIZE / 8));
    await journal.append(head + 1, batch(head + 1, 1));
    return head + 2;
  }

  it("is not written for a small journal, and not at all when it is 0", async () => {
    let journal = await begin({ ballast: SIZE });
    for (let head = 0; head < 20; head++) await journal.append(head, batch(head, 100));
    await journal.close();
    expect(await keysOf("ballast")).to.deep.equal([]);
    await harness.close();
    journal = await begin({ ballast: 0 });
    await enough(journal);
    await journal.close();
    expect(await keysOf("ballast")).to.deep.equal([]);
  });

  it("is written once the journal has grown, as one record of its size that can't be compressed", async () => {
    const journal = await begin({ ballast: SIZE });
    await enough(journal);
    await journal.close();
    const db = await harness.raw();
    const [bytes, ...others] = (await db.getAll("ballast")) as Uint8Array[];
    db.close();
    expect(others).to.deep.equal([]);
    expect(bytes?.length).to.equal(SIZE);
    expect(new Set(bytes).size).to.equal(256);
  });

  it("lets the second try pass at a full quota, and comes back only when there is room beside it", async () => {
    const journal = await begin({ ballast: SIZE });
    const space = harness.limit(Number.POSITIVE_INFINITY);
    let head = await enough(journal);
    await expectBallast(true);
    space.left = 50;
    expect(await codeOf(journal.append(head, batch(head, 500)))).to.equal("journal/quota");
    await expectBallast(false);
    for (let at = 0; at < 40; at++) {
      await journal.append(head, batch(head, 500));
      head += 1;
    }
    await expectBallast(false);
    space.left = Number.POSITIVE_INFINITY;
    for (const end = Date.now() + 1_500; Date.now() < end; head += 1) await journal.append(head, batch(head, 1));
    await expectBallast(true);
  });

  it("lets a journal open and go on when the quota is full from the start", async () => {
    const journal = await begin({ ballast: SIZE });
    const space = harness.limit(Number.POSITIVE_INFINITY);
    const head = await enough(journal);
    await expectBallast(true);
    await journal.close();
    space.left = 0;
    const later = await reopen();
    await later.append(head, batch(head, 500));
    await expectBallast(false);
  });

  it("tells whoever asks that nothing but it is left, until there is room for another one", async () => {
    const journal = await begin({ ballast: SIZE });
    const space = harness.limit(Number.POSITIVE_INFINITY);
    const head = await enough(journal);
    await expectBallast(true);
    expect(journal.isFull?.()).to.equal(false);
    space.left = 50;
    expect(await codeOf(journal.append(head, batch(head, 500)))).to.equal("journal/quota");
    expect(journal.isFull?.()).to.equal(true);
    await journal.close();
    const later = await reopen(); // it doesn't know of the other one's failure, and finds out
    expect(later.isFull?.()).to.equal(true);
    await later.append(head, batch(head, 1)); // what ends something still has room
    space.left = Number.POSITIVE_INFINITY;
    for (let tries = 0; later.isFull?.() === true; tries++) {
      expect(tries).to.be.lessThan(100);
      await new Promise((done) => setTimeout(done, 100));
    }
    await expectBallast(true);
  });

  it("is kept when a blob is too large", async () => {
    const journal = await begin({ ballast: SIZE });
    const space = harness.limit(Number.POSITIVE_INFINITY);
    await enough(journal);
    await expectBallast(true);
    space.left = 10;
    expect(await codeOf(journal.blobs.put("b", "o", new Uint8Array(5_000)))).to.equal("journal/quota");
    await expectBallast(true);
  });

  async function expectBallast(there: boolean): Promise<void> {
    for (let tries = 0; tries < 200; tries++) {
      const db = await harness.raw();
      const keys = await db.getAllKeys("ballast");
      db.close();
      if ((keys.length === 1) === there) return;
    }
    expect(await keysOf("ballast")).to.have.length(there ? 1 : 0);
  }
});

describe("the records", () => {
  it("go when they are let go of", async () => {
    const journal = await begin();
    for (let head = 0; head < 6; head++) await journal.append(head, batch(head, 10));
    for (const seq of [2, 4, 5]) await journal.compact({ seq, text: "{}" });
    expect(await keysOf("batches")).to.deep.equal([5, 6]);
    expect(await keysOf("snapshots")).to.deep.equal([4, 5]);
    await journal.blobs.put("b", "o", new Uint8Array(100_000));
    expect(await keysOf("chunks")).to.have.length(4);
    await journal.blobs.release("o");
    expect(await keysOf("chunks")).to.deep.equal([]);
  });
});

describe("the format", () => {
  it("is refused when a later version wrote it, and left as it is", async () => {
    await (await begin()).close();
    const db = await harness.raw();
    const { text } = (await db.get("meta", META_KEY)) as Sealed;
    const later = seal(META_KEY, JSON.stringify({ ...(JSON.parse(text) as Meta), format: 2 }));
    await db.put("meta", later, META_KEY);
    expect(await codeOf(harness.journal().open())).to.equal("host/incompatible");
    expect(await db.get("meta", META_KEY)).to.deep.equal(later);
    db.close();
  });
});

describe("the connection", () => {
  it("reads in pieces: never much more than a megabyte at once", async () => {
    const journal = await begin({ ballast: 0 });
    for (let head = 0; head < 60; head++) await journal.append(head, batch(head, 200_000));
    const { getAll } = IDBObjectStore.prototype;
    let most = 0;
    IDBObjectStore.prototype.getAll = function (this: IDBObjectStore, ...args) {
      const request = getAll.apply(this, args);
      request.addEventListener("success", () => (most = Math.max(most, request.result.length)));
      return request;
    };
    try {
      let count = 0;
      for await (const { text } of journal.read(0)) count += text.length > 200_000 ? 1 : 0;
      expect(count).to.equal(60);
    } finally {
      Object.assign(IDBObjectStore.prototype, { getAll });
    }
    expect(most).to.be.within(1, 8);
  });

  it("hears that the database was deleted, and makes no empty one", async () => {
    const journal = await begin();
    const reasons: string[] = [];
    journal.onLost((reason) => reasons.push(reason));
    await journal.append(0, batch(0, 10));
    await new Promise((resolve, reject) => {
      const request = indexedDB.deleteDatabase(harness.name);
      request.onsuccess = resolve;
      request.onblocked = () => reject(new Error("the journal blocks its deletion"));
    });
    expect(await codeOf(journal.append(1, batch(1, 10)))).to.equal("runtime/storage-lost");
    expect(reasons).to.deep.equal(["deleted"]);
    await expectNone();
  });

  it("takes a database that fell back to an older state for lost", async () => {
    const journal = await begin();
    const reasons: string[] = [];
    journal.onLost((reason) => reasons.push(reason));
    await journal.append(0, batch(0, 10));
    const db = await harness.raw();
    const meta: unknown = await db.get("meta", "journal");
    await journal.append(1, batch(1, 10));
    await db.put("meta", meta, "journal");
    await db.delete("batches", 2);
    db.close();
    expect(await codeOf(journal.append(2, batch(2, 10)))).to.equal("runtime/storage-lost");
    expect(await codeOf(journal.append(1, batch(1, 10)))).to.equal("runtime/storage-lost");
    expect(reasons).to.deep.equal(["storage-lost"]);
    expect((await (await reopen()).open()).head).to.equal(1);
  });

  it("makes no empty database when it finds none while reopening", async () => {
    const journal = await begin();
    const reasons: string[] = [];
    journal.onLost((reason) => reasons.push(reason));
    await journal.append(0, batch(0, 10));
    for (const connection of harness.connections) connection.close(); // it hears nothing
    await new Promise((resolve) => (indexedDB.deleteDatabase(harness.name).onsuccess = resolve));
    expect(await codeOf(journal.append(1, batch(1, 10)))).to.equal("runtime/storage-lost");
    expect(reasons).to.deep.equal(["storage-lost"]);
    await expectNone();
  });

  /** WebKit lists a database whose first upgrade was aborted, with version 0: the next to open it makes it anew. */
  async function expectNone(): Promise<void> {
    const made = (await indexedDB.databases()).filter(({ version }) => version !== 0);
    expect(made.map(({ name }) => name)).not.to.include(harness.name);
  }

  it("gives up on a browser that never answers", async () => {
    harness = openHarness();
    const silent = { open: () => new EventTarget() } as unknown as IDBFactory;
    const journal = createIndexedDbJournal({ name: "silent", factory: silent, patience: 50 });
    expect(await codeOf(journal.open())).to.equal("journal/blocked");
  });

  it("says what is wrong where there is no IndexedDB", async () => {
    harness = openHarness();
    const refusing = {
      open: () => {
        throw new DOMException("not here", "SecurityError");
      },
    } as unknown as IDBFactory;
    const journal = createIndexedDbJournal({ name: "refused", factory: refusing });
    const error: unknown = await journal.open().catch((cause: unknown) => cause);
    expect(error).to.be.instanceOf(RuntimeError);
    expect(error).to.have.property("code", "journal/unavailable");
    expect(error).to.have.nested.property("cause.name", "SecurityError");
  });

  it("reports a connection that can't be had again, and takes it up when it can", async () => {
    const journal = await begin();
    const reasons: string[] = [];
    const told = new Promise<void>((resolve) => {
      journal.onLost((reason) => {
        reasons.push(reason);
        resolve();
      });
    });
    const { open } = indexedDB;
    Object.defineProperty(indexedDB, "open", {
      configurable: true,
      value: () => {
        throw new DOMException("Connection to Indexed Database server lost", "UnknownError");
      },
    });
    try {
      await harness.disconnect?.();
      await harness.disconnect?.(); // the one with the event
      for (const connection of harness.connections) connection.onclose?.(new Event("close"));
      expect(await codeOf(journal.append(0, batch(0, 10)))).to.equal("journal/unavailable");
    } finally {
      Object.defineProperty(indexedDB, "open", { configurable: true, value: open });
    }
    await journal.append(0, batch(0, 10));
    void told;
    expect((await (await reopen()).open()).head).to.equal(1);
  });
});
