import { messageOf } from '../../../../src/errors.ts'
import { startPrograms, type Run } from '../start-programs.ts'
import { NotThereError, type Tunnel } from '../topology.ts'

/**
 * Starts the programs of others, one after the other. They see no settings of the user's.
 *
 * @throws NotThereError also if one does not start: another version may want other arguments
 */
export async function startPeer(
  folder: string,
  start: (run: Run) => Promise<Omit<Tunnel, 'stop'>>,
): Promise<Tunnel> {
  const env = { PATH: process.env.PATH, HOME: folder }
  try {
    return await startPrograms(folder, (run) => start((file, args) => run(file, args, env)))
  } catch (error) {
    if (error instanceof NotThereError) throw error
    throw new NotThereError(`does not start: ${messageOf(error)}`, { cause: error })
  }
}
