/** What a page says of capabilities: to the host, and to the types of its own calls. */
import type { CapabilityDefaults, JsonSchema } from "../core/index.ts";

/**
 * What capabilities take, for the types of calls alone. A program that augments it has its inputs checked where they
 * are written:
 *
 * ```ts norun
 * declare module "troupe" {
 *   interface Capabilities {
 *     translate: { input: { text: string; to: string } };
 *   }
 * }
 * ```
 */
// eslint-disable-next-line @typescript-eslint/no-empty-object-type -- its members are the user's
export interface Capabilities {}

/** What the first of the capabilities takes, when {@link Capabilities} says so: it is the one that the agent is called with. */
export type TypedInput<C extends readonly string[]> = C extends readonly [infer First, ...unknown[]]
  ? WithoutRange<First> extends keyof Capabilities
    ? Capabilities[WithoutRange<First>] extends { readonly input: infer Input }
      ? { readonly input: Input }
      : unknown
    : unknown
  : unknown;

type WithoutRange<Name> = Name extends `${infer Plain}@${string}` ? Plain : Name;

/** What a capability takes and gives, whoever offers it. */
export interface CapabilityOptions {
  /** Also of what stands below it and says nothing else: `code` of `code.refactor`. */
  readonly name: string;
  /** Default: for all versions that have none of their own. */
  readonly version?: string;
  readonly description?: string;
  /** Of the inputs of tasks whose first capability it is: another is refused with `task/input-invalid`. */
  readonly input?: JsonSchema;
  /** Of their outputs: with another the attempt fails with `agent/output-invalid`. */
  readonly output?: JsonSchema;
  /** For tasks that say nothing else. The agent that performs them comes before it with its timeout and retry. */
  readonly defaults?: CapabilityDefaults;
  /** True: take the place of what is registered under the name and version, if it differs. Default: it is refused. */
  readonly replace?: boolean;
}
