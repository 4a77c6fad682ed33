/** Ends them one after the other, the last that was started first. */
export async function stopAll(running: readonly { stop(): Promise<void> }[]): Promise<void> {
  for (const each of running.toReversed()) await each.stop()
}
