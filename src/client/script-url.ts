/** Script URLs for pages that demand Trusted Types. */

interface ScriptURLPolicy {
  createScriptURL(url: string): string;
}
interface PolicyFactory {
  createPolicy(name: string, rules: ScriptURLPolicy): ScriptURLPolicy;
}

let policy: ScriptURLPolicy | undefined;

/**
 * The URL as a worker may be started from it. Under a CSP with `trusted-types`, that has to name `troupe`.
 * The values are the page's own options, so they are as trusted as its code.
 */
export function scriptURL(url: string): string {
  policy ??= createPolicy();
  return policy.createScriptURL(url);
}

function createPolicy(): ScriptURLPolicy {
  const { trustedTypes } = globalThis as { readonly trustedTypes?: PolicyFactory };
  const rules = { createScriptURL: (url: string): string => url };
  return trustedTypes?.createPolicy("troupe", rules) ?? rules;
}
