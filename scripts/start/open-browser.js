import { spawn } from "node:child_process";

/**
 * Opens a page in the person's own browser, where there is a screen; otherwise, and when it fails, nothing happens:
 * the address has been printed.
 * @param {string} url
 */
export function openBrowser(url) {
  const [command, ...args] = commandFor(url);
  if (command === undefined) return;
  const child = spawn(command, args, { stdio: "ignore", detached: true });
  child.once("error", () => undefined);
  child.unref();
}

/**
 * @param {string} url
 * @returns {string[]}
 */
function commandFor(url) {
  if (process.platform === "darwin") return ["open", url];
  if (process.platform === "win32") return ["cmd", "/c", "start", "", url];
  const hasScreen = process.env["DISPLAY"] !== undefined || process.env["WAYLAND_DISPLAY"] !== undefined;
  return hasScreen ? ["xdg-open", url] : [];
}
