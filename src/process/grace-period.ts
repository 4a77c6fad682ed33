/** How long SIGTERM may take, in ms: the spec's "Graceful Shutdown". */
export const GRACE_PERIOD_MS = 5000
