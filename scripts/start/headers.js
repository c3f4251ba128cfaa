/** What the server says about each file beside its bytes. The page's policy stands in its HTML too, for other servers. */

/** The page: its own files and nothing else; no inline code or style; no string becomes a script. */
const PAGE_POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self'",
  "connect-src 'self'",
  "worker-src 'self'",
  "frame-src 'self' blob:",
  "manifest-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
  "require-trusted-types-for 'script'",
  "trusted-types lit-html troupe audit",
].join("; ");

/** @type {Record<string, string>} */
const COMMON = {
  "x-content-type-options": "nosniff",
  "referrer-policy": "no-referrer",
  "cross-origin-opener-policy": "same-origin",
  "permissions-policy": "camera=(), microphone=(), geolocation=(), payment=(), usb=(), serial=()",
};

/** What the frame of an isolated cell loads. It has no origin, so it must be open to others; it holds no secret. */
const CELL = "/cell.html";

/**
 * The headers of a path.
 * @param {string} path
 * @returns {Record<string, string>}
 */
export function headersFor(path) {
  // A cell writes its own policy, which could not say who may frame it. That it has no origin is said here as well as
  // by its frame: a service worker answers only frames that don't say it.
  if (path === CELL)
    return {
      ...COMMON,
      "cross-origin-resource-policy": "cross-origin",
      "content-security-policy": "frame-ancestors 'self'; sandbox allow-scripts",
    };
  return { ...COMMON, "cross-origin-resource-policy": "same-origin", "content-security-policy": PAGE_POLICY };
}
