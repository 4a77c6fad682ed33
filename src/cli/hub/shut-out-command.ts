import { ConnectCommand } from '../command.ts'
import { hubFolder } from './flags.ts'
import { doneWords, shutOut, type WayOut } from './shut-out.ts'

/** A command that revokes or removes one machine, or one join token. */
export abstract class ShutOutCommand extends ConnectCommand {
  /**
   * Does it, and says what came of it.
   *
   * @param dataDir see hubFolder
   * @returns whether it would also hold after a restart of the hub
   */
  protected async shutOut(dataDir: string | undefined, way: WayOut, id: string): Promise<boolean> {
    const reply = await shutOut(hubFolder(dataDir), way, id)
    const done = doneWords(way, id)
    if (reply.saved) this.print(`[ok] ${done}`)
    else {
      this.printWarning(
        `${done}: it is in effect, but not saved yet. The hub can’t save it: ${reply.reason}`,
        'It would be undone if the hub ended now. Fix that, then run this again.',
      )
      process.exitCode = 1
    }
    return reply.saved
  }
}
