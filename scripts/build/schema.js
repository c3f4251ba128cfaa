/**
 * Writes dist/workflow.schema.json: the form of a workflow's definition for editors and other languages, made of the
 * same schema that the host reads definitions with.
 */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { toJsonSchema } from "@valibot/to-json-schema";
import { ROOT } from "../toolchain.js";

const HEAD = {
  $schema: "https://json-schema.org/draft/2020-12/schema",
  title: "Workflow",
  description:
    "A workflow of Troupe. What no schema can say, such as ranges of versions and the graph, `validate` does.",
};

/**
 * @param {import("valibot").GenericSchema} schema
 * @returns {Record<string, unknown>}
 */
export function workflowSchema(schema) {
  const written = toJsonSchema(schema, {
    target: "draft-2020-12",
    typeMode: "input",
    errorMode: "ignore", // checks by a function: they are left to `validate`
    overrideAction({ valibotAction, jsonSchema }) {
      const requirement = "requirement" in valibotAction ? valibotAction.requirement : undefined;
      if (!(requirement instanceof RegExp) || !requirement.ignoreCase) return undefined;
      return { ...jsonSchema, pattern: requirement.source.replace("a-z", "A-Za-z") }; // a pattern has no flags there
    },
  });
  return { ...written, ...HEAD };
}

/** Needs dist/core.js. */
export async function writeSchema() {
  const { WorkflowSchema } = await import(pathToFileURL(join(ROOT, "dist/core.js")).href);
  writeFileSync("dist/workflow.schema.json", `${JSON.stringify(workflowSchema(WorkflowSchema), null, 1)}\n`);
}
