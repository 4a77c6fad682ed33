import { agentCarries } from '../control/client.ts'
import { ConnectError } from '../errors.ts'
import type { DaemonContext } from './daemon-context.ts'

/**
 * Whether the caller's shell came here over ssh through this very daemon, and is cut off when it stops. sshd
 * tells the client's address and port (ssh(1), SSH_CONNECTION): the client is then the agent, which knows
 * its own ports.
 */
export async function isOwnSshSession({ instance }: DaemonContext): Promise<boolean> {
  const [, port] = (process.env.SSH_CONNECTION ?? '').split(' ')
  if (port === undefined) return false
  try {
    return (await agentCarries(instance, Number(port)))?.carries ?? false
  } catch (error) {
    // An agent that doesn't answer has lost what it carried already.
    if (error instanceof ConnectError) return false
    throw error
  }
}
