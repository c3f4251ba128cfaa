/** The agent that looks for credentials in one file. */
import * as v from "valibot";
import { defineAgent } from "../../core/plugin.ts";
import { FileSchema, isText } from "./files.ts";
import { weightiest, type Observation } from "./findings.ts";
import { ItemFindingsSchema, MAX_PER_FILE, nothingIn, packFindings } from "./item-findings.ts";
import { fingerprint } from "./platform.ts";
import { isSpecimen } from "./rule-info.ts";
import { secretRule, TOO_MANY_SECRETS } from "./secrets/rules.ts";
import { scanSecrets } from "./secrets/scan.ts";
import { createSourceText, decodeSource } from "./source-text.ts";

export const secretsAgent = defineAgent({
  name: "audit-secrets",
  version: "1.0.0",
  capabilities: ["audit.secrets"],
  description: "Finds credentials in a file. They are masked before they leave the agent.",
  input: v.pick(FileSchema, ["path", "ref", "kind"]),
  output: ItemFindingsSchema,
  async run({ path, ref, kind }, context) {
    if (!isText({ kind })) return nothingIn(path);
    const text = decodeSource(await context.blobs.read(ref));
    context.signal.throwIfAborted();
    return packFindings(context, path, await observeSecrets(path, text));
  },
});

/** What is reported of a file's credentials: where, of which kind, and a mask. */
export async function observeSecrets(path: string, text: string): Promise<Observation[]> {
  const { secrets, masked } = await scanSecrets(path, text);
  const source = createSourceText(text, masked);
  const observations: Observation[] = [];
  const listed = weightiest(secrets, MAX_PER_FILE, ({ name }) => secretRule(name).severity);
  for (const { name, value, mask, start, end } of listed) {
    const { line, column } = source.positionOf(start);
    const key = fingerprint(`troupe audit secret\n${value}`, 16);
    observations.push({
      rule: `secrets/${name}`,
      message: `${secretRule(name).title}: ${mask}, fingerprint ${key}.`,
      line,
      column,
      endLine: source.positionOf(Math.max(start, end - 1)).line,
      evidence: source.excerpt(line, column),
      key,
      ...(isSpecimen(path) && { confidence: "low" as const }),
    });
  }
  const more = secrets.length - observations.length;
  if (more > 0) observations.push({ rule: TOO_MANY_SECRETS, message: `${String(more)} more are not listed.` });
  return observations;
}
