/** Bytes that either end may send on a new stream before the first WINDOW; the least that an end may give. */
export const INITIAL_WINDOW = 256 * 1024

/**
 * Bytes of which a sender hears at the latest that they were consumed. One whose streams together keep too
 * much to be sent again sends INITIAL_WINDOW of each, and then waits.
 */
export const MOST_UNSAID = (INITIAL_WINDOW * 7) / 8

/** Bytes of the largest window that an end may give: what may be sent beyond what was consumed. */
export const MAX_WINDOW = 16 * 1024 * 1024

/** Bytes of the largest window that this implementation gives. */
export const GROWN_WINDOW = 4 * 1024 * 1024

/** What all windows of an agent may have grown by, together. */
export const GROWTH_BUDGET_BYTES = 64 * 1024 * 1024

/** A sender that waits this long for its window shows that the window is too small for the path, in ms. */
export const GROW_AFTER_MS = 5

/** Half a window that is used up within this time costs both ends a WINDOW too often, in ms … */
export const QUICK_MS = 2

/** … so such a window grows, up to here. Larger ones gain little, and others wait longer beside them. */
export const QUICK_WINDOW = 512 * 1024
