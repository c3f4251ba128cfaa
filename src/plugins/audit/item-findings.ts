/**
 * How the items of a map hand on what they saw. The outputs of thousands of items travel as one JSON text of
 * at most 8 MiB, so each may take only its share: what is longer goes into a blob. A hostile code base can
 * thus not make the audit fail by having too many findings.
 */
import * as v from "valibot";
import { BlobRefSchema, type AgentContext } from "../../core/plugin.ts";
import { decodeSource } from "./source-text.ts";
import { ObservationSchema, type Observation } from "./findings.ts";
import { encodeText } from "./platform.ts";

/** Characters of JSON that an item may keep inline; 10,000 items of it fit with their paths. */
const INLINE = 400;
/** The most observations of one file that are kept. */
export const MAX_PER_FILE = 50;

export const ItemFindingsSchema = v.object({
  path: v.string(),
  findings: v.array(ObservationSchema),
  /** How many there are, wherever they are. */
  count: v.optional(v.number(), 0),
  /** When there are too many for the text: all of them, as a JSON array. */
  more: v.optional(BlobRefSchema),
});
export type ItemFindings = v.InferOutput<typeof ItemFindingsSchema>;

/** What an item says that saw nothing. */
export const nothingIn = (path: string): ItemFindings => ({ path, findings: [], count: 0 });

/** Drops what the merge knows anyway (the path), and moves a long list into a blob. */
export async function packFindings(
  context: Pick<AgentContext, "blobs">,
  path: string,
  observations: readonly Observation[],
): Promise<ItemFindings> {
  const findings = observations.map(({ path: _, ...rest }) => rest);
  const json = JSON.stringify(findings);
  const count = findings.length;
  if (json.length <= INLINE) return { path, findings, count };
  return { path, findings: [], count, more: await context.blobs.write(encodeText(json)) };
}

/** The counterpart, which puts the path back. */
export async function unpackFindings(
  context: Pick<AgentContext, "blobs">,
  { path, findings, more }: ItemFindings,
): Promise<Observation[]> {
  const stored: unknown = more === undefined ? [] : JSON.parse(decodeSource(await context.blobs.read(more)));
  return [...findings, ...v.parse(v.array(ObservationSchema), stored)].map((one) => ({ ...one, path }));
}
