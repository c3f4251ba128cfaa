/** What an agent's runtime says by itself of an attempt that goes on. */
import { expect } from "chai";
import { spawnCell, type Cell } from "../../../src/client/spawner.ts";
import { fakeHost, TASK, type FakeHost } from "../../fixtures/agents/host.ts";

const url = new URL("../../fixtures/agents/conduct.agent.ts", import.meta.url).href;
const id = { task: TASK, attempt: 1 };

describe("an agent's worker, while an attempt goes on,", () => {
  let cell: Cell;
  let host: FakeHost;

  beforeEach(async () => {
    cell = await spawnCell({ url, trusted: true, cellURL: "unused" });
    host = fakeHost(cell.serve());
  });
  afterEach(() => {
    cell.kill();
    host.close();
    expect(host.faults, "posts against the protocol").to.deep.equal([]);
  });

  /** So many beats of another attempt: in that time those of the first would have come too. */
  const beatsOfAnother = async (): Promise<void> => {
    host.run("obey", undefined, { task: "another", beat: 10 });
    for (let beat = 0; beat < 5; beat++)
      expect(await host.next("beat")).to.deep.equal({ kind: "beat", task: "another", attempt: 1 });
  };

  it("says so as often as the host wants, and no more after its end", async () => {
    host.run("obey", undefined, { beat: 10 });
    for (let beat = 0; beat < 3; beat++) expect(await host.next("beat")).to.deep.equal({ kind: "beat", ...id });
    host.send({ kind: "abort", ...id, error: { name: "AbortError", message: "enough", code: "task/cancelled" } });
    await host.next("failed");
    host.rest();
    await beatsOfAnother();
  });

  it("says nothing for a run that was failed by an uncaught error and never ends", async () => {
    host.run("unhandled", undefined, { beat: 10 });
    await host.next("failed");
    host.rest();
    await beatsOfAnother();
  });

  it("says nothing of a quick one", async () => {
    host.run("echo", 1);
    await host.next("done");
    expect(host.posts.flat().map(({ kind }) => kind)).to.deep.equal(["done"]);
  });
});
