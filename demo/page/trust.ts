/** Under Trusted Types a worker starts only from a URL that a policy vouches for: here, from files beside this page. */

interface Policies {
  createPolicy(name: "default", rules: { createScriptURL(url: string): string }): unknown;
}

/** Makes the policy for whatever starts workers in this page, and refuses all other scripts that come as a string. */
export function trustOwnScripts(base: URL): void {
  const { trustedTypes } = globalThis as { readonly trustedTypes?: Policies };
  trustedTypes?.createPolicy("default", {
    createScriptURL(url) {
      if (!new URL(url, base).href.startsWith(base.href)) throw new TypeError(`not a script of this page: ${url}`);
      return url;
    },
  });
}
