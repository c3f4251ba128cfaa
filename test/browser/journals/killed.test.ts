/** A host that is killed while it writes. */
import { expect } from "chai";
import { createIndexedDbJournal } from "../../../src/plugins/journals/index.ts";
import type { WriterReport } from "./writing-worker.ts";

const url = new URL("./writing-worker.ts", import.meta.url);

/** Starts a writer and resolves when it has reported so often. */
function write(name: string, reports: number): Promise<{ worker: Worker; heard: WriterReport[] }> {
  const worker = new Worker(url, { type: "module", name });
  const heard: WriterReport[] = [];
  return new Promise((resolve, reject) => {
    worker.addEventListener("error", ({ message }) => reject(new Error(message)));
    worker.addEventListener("message", ({ data }: MessageEvent<WriterReport>) => {
      heard.push(data);
      if (heard.length === reports) resolve({ worker, heard });
    });
  });
}

describe("a host that dies", () => {
  for (const reports of [1, 5, 23]) {
    it(`leaves whole batches and everything it acknowledged, killed after ${reports}`, async () => {
      const name = `killed-${reports}-${Date.now()}`;
      const { worker, heard } = await write(name, reports);
      worker.terminate();
      const journal = createIndexedDbJournal({ name });
      const { head } = await journal.open();
      expect(head).to.be.at.least(heard.at(-1)?.head ?? 0);
      let last = 0;
      for await (const { from, to, text } of journal.read(0)) {
        expect(from).to.equal(last + 1);
        expect(JSON.parse(text)).to.have.length(to - from + 1);
        expect(await journal.archived(`t${to}`), `the row of ${to}`).to.have.property("at", to);
        last = to;
      }
      expect(last).to.equal(head);
      await journal.append(head, { from: head + 1, to: head + 1, at: 0, text: "[0]", archive: [] });
      await journal.close();
    });
  }

  it("is fenced in another thread by the next owner, and writes nothing more", async () => {
    const name = `fenced-${Date.now()}`;
    const { worker, heard } = await write(name, 3);
    const fenced = new Promise<WriterReport>((resolve) => {
      worker.addEventListener("message", ({ data }: MessageEvent<WriterReport>) => {
        if (data.error !== undefined) resolve(data);
      });
    });
    const journal = createIndexedDbJournal({ name });
    const { head } = await journal.open();
    const { error, head: acknowledged } = await fenced;
    expect(error).to.equal("journal/fenced");
    expect(acknowledged).to.equal(head);
    expect(heard[0]?.head).to.be.at.most(head);
    await journal.append(head, { from: head + 1, to: head + 1, at: 0, text: "[0]", archive: [] });
    worker.terminate();
    await journal.close();
  });
});
