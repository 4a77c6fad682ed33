import { parseArgs } from 'node:util'
import { ensureInstanceFolder } from '../config/config.ts'
import { instanceFor } from '../config/instance.ts'
import { ConnectError, messageOf } from '../errors.ts'
import { runKept } from '../kept/run-kept.ts'
import { runAgent } from './agent.ts'

/**
 * The kept-alive agent, as a platform starts it: `connect up --hub URL [--config FILE]` with
 * CONNECT_DAEMON=1. It bypasses the CLI, for a quick start and a small process.
 */
export async function runKeptAlive(argv: readonly string[], version: string): Promise<void> {
  await runKept(() => {
    const { config, hub } = readArguments(argv)
    const instance = instanceFor(config)
    ensureInstanceFolder(instance)
    return {
      instance,
      run: (options, signal) => runAgent({ ...options, instance, hub, version }, signal),
    }
  })
}

/** @throws ConnectError BAD_VALUE if someone has edited what a platform wrote, say */
function readArguments(argv: readonly string[]): { config?: string; hub?: string } {
  try {
    return parseArgs({
      args: [...argv],
      options: { config: { type: 'string' }, hub: { type: 'string' } },
    }).values
  } catch (error) {
    const [what] = messageOf(error).split('. ')
    throw new ConnectError(
      'BAD_VALUE',
      `The agent was started with a command line that it can’t use: ${what}`,
      {
        cause: error,
        hints: ['Have it written anew: connect daemon uninstall, then connect daemon install'],
      },
    )
  }
}
