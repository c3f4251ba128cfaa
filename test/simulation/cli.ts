import { loadEntries } from "./entries.ts";
import { drawPlan } from "./plan.ts";
import { runPlan } from "./run.ts";
const [from = 1, count = 10, verbose] = process.argv.slice(2).map(Number);
const entries = await loadEntries();
const cpu0 = process.cpuUsage();
let steps = 0, events = 0, bad = 0;
for (let seed = from; seed < from + count; seed++) {
  const plan = drawPlan(seed);
  const o = await runPlan(entries, plan);
  steps += o.steps; events += o.events;
  if (verbose) console.log(seed, o.digest, "events", o.events, "rest", o.rest.toFixed(0), [...o.faults].map(([k, n]) => `${k} ${n}`).join(", "));
  if (o.violations.length) { bad++; console.log("SEED", seed, plan.modes, JSON.stringify(plan.speed)); for (const v of o.violations.slice(0, 3)) console.log("   ", v.rule, v.text.slice(0, 900));
    if (verbose) console.log(o.story.slice(-Number(verbose)).map((s) => `${s.step} ${s.at.toFixed(1)} ${s.process}: ${s.about}`).join("\n")); }
}
const { user, system } = process.cpuUsage(cpu0);
console.log({ steps, events, bad, cpu: (user + system) / 1e6, stepsPerCpuSecond: steps / ((user + system) / 1e6) });
