/**
 * The promises of the Journal port as tests. Every adapter passes them; write your own adapter against them.
 *
 * ```ts
 * for (const { name, skip, run } of journalConformance({ open, cannot: { block: "has no versions" } })) {
 *   if (skip) it.skip(`${name}: ${skip}`);
 *   else it(name, run);
 * }
 * ```
 */
import { archiveCases } from "./journal/archive.ts";
import { auditCases } from "./journal/audit-lines.ts";
import { blobCases } from "./journal/blobs.ts";
import { faultCases } from "./journal/faults.ts";
import type { CaseDefinition, ConformanceOptions, JournalCase } from "./journal/harness.ts";
import { historyCases } from "./journal/history.ts";
import { modelCase } from "./journal/model.ts";
import { snapshotCases } from "./journal/snapshots.ts";

/** Makes the cases. They need no test runner, and each works on storage of its own. */
export function journalConformance(options: ConformanceOptions): readonly JournalCase[] {
  const { seed = 1, steps = 150 } = options;
  const cases = [
    ...historyCases(),
    ...snapshotCases(),
    ...archiveCases(),
    ...blobCases(),
    ...auditCases(),
    ...faultCases(),
    modelCase(seed, steps),
  ];
  return cases.map((definition) => bind(definition, options));
}

function bind({ name, needs, run }: CaseDefinition, options: ConformanceOptions): JournalCase {
  const skip = needs && options.cannot?.[needs];
  return {
    name,
    ...(skip !== undefined && { skip }),
    run: async () => {
      const harness = await options.open();
      try {
        if (needs && !harness[needs]) throw new Error(`the harness has no "${needs}" and doesn't say so in "cannot"`);
        await run(harness, options);
      } finally {
        await harness.close();
      }
    },
  };
}
