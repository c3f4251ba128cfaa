/** The bound: what any durable runtime on this platform must at least post and commit, and nothing else. */

export interface BoundTask {
  readonly id: number;
  readonly input: unknown;
}

/** page → host */
export type ToHost =
  | { readonly kind: "open"; readonly database: string }
  | { readonly kind: "tasks"; readonly tasks: readonly BoundTask[] }
  | { readonly kind: "chains"; readonly chains: number; readonly length: number };

/** host → page */
export type ToPage =
  | { readonly kind: "ready" }
  | { readonly kind: "done"; readonly results: readonly BoundTask[] }
  | { readonly kind: "ended"; readonly nodes: number };
