/** The host is killed at every append of a run, in every engine. */
import { expect } from "chai";
import { AGENT, approveAll } from "../../fixtures/host/page.ts";
import { SMALL, tour, type Journey, type Moment } from "../../fixtures/host/tour.ts";

const journey: Journey = {
  name: "tour",
  async run(runtime) {
    await runtime.registerAgent({ url: AGENT, workers: 2 });
    runtime.registerWorkflow(SMALL);
    approveAll(runtime);
    return JSON.stringify(await runtime.result(runtime.startWorkflow("small", { from: "tour" })));
  },
};

describe("the crash tour", () => {
  for (const moment of ["durable", "lost"] as Moment[])
    it(`killed at every append, its batch ${moment}: one report, each task completed once`, async function () {
      this.timeout(240_000);
      const started = performance.now();
      const { runs, first } = await tour(journey, { moment, every: 1 });
      expect(JSON.parse(first.report)).to.deep.equal({
        report: { squares: [1, 4, 9, 16], flaky: { flaky: 7 }, by: "suite" },
        sum: 30,
      });
      expect([...first.completions.keys()]).to.have.length(7);
      expect(runs).to.be.at.least(10);
      console.log(
        `${String(runs)} runs, ${String(first.appends)} appends, ${String(Math.round(performance.now() - started))} ms`,
      );
    });
});
