/** How long SIGTERM may take before SIGKILL, in ms: docs/commands.md promises it. */
export const GRACE_PERIOD_MS = 5000
