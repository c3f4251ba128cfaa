/** What a page can do with the audit log. */
import type { AuditHead, AuditVerdict } from "../core/audit/verify.ts";

export type { AuditHead, AuditVerdict };

/** Calls of the handle that few pages make. */
export interface AuditCalls {
  /** Who asked for what and what was decided, chained by SHA-256. See docs/audit.md. */
  readonly audit: {
    /** All that is kept, as JSON lines; docs/audit.md has a script that verifies them anywhere. */
    export(): Promise<Blob>;
    /** Whether the log is what was written; with heads that were kept elsewhere, whether it is still that one. */
    verify(anchors?: readonly AuditHead[]): Promise<AuditVerdict>;
    /**
     * Calls with the head now, and again when it is another one, looked at every so many milliseconds (default 60,000).
     * Keep it where this device's owner can't change it. Resolves with the function that ends it.
     */
    onAnchor(listener: (head: AuditHead) => void, options?: { readonly every?: number }): Promise<() => void>;
  };
}
