/** How long SIGTERM may take before SIGKILL, in ms: docs/commands.md promises it. */
export const GRACE_PERIOD_MS = 5000

/** The same in seconds, for what people and service managers read. */
export const GRACE_PERIOD_S = GRACE_PERIOD_MS / 1000
