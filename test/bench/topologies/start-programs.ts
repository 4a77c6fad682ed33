import { Program } from '../processes/program.ts'
import { stopAll } from './stop-all.ts'
import type { Tunnel } from './topology.ts'

/** Starts one of a tunnel's programs. */
export type Run = (file: string, args: readonly string[], env?: NodeJS.ProcessEnv) => Program

/**
 * Starts the programs of a tunnel. They end in the order in which they were started, the hub first: what it
 * runs for the ends, a session of sshd for example, can be found only while it is there.
 *
 * @param folder where they run
 * @param start starts one after the other, each when that before it is ready
 */
export async function startPrograms(
  folder: string,
  start: (run: Run) => Promise<Omit<Tunnel, 'stop'>>,
): Promise<Tunnel> {
  const running: Program[] = []
  const stop = () => stopAll(running.toReversed())
  const run: Run = (file, args, env) => {
    const program = new Program(file, args, { folder, ...(env && { env }) })
    running.push(program)
    return program
  }
  try {
    return { ...(await start(run)), stop }
  } catch (error) {
    await stop()
    throw error
  }
}
