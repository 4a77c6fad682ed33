import { Signer } from '../agent/credential.ts'
import { HubApi } from '../agent/hub-api.ts'
import { ConnectCommand } from '../cli/command.ts'
import { configFlag } from '../cli/flags.ts'
import { ensureInstanceFolder, hubOf, readConfig, type Config } from '../config/config.ts'
import { instanceFor, releaseInstanceName } from '../config/instance.ts'
import { takeAgentLock } from '../control/agent-lock.ts'
import { findAgent } from '../control/find-agent.ts'
import { ConnectError, messageOf } from '../errors.ts'
import { removeFile } from '../files/remove-file.ts'

export default class Logout extends ConnectCommand {
  static override summary = 'Leave the hub: forget this machine’s credential, here and there'
  static override enableJsonFlag = true
  static override flags = configFlag

  async run() {
    const { flags } = await this.parse(Logout)
    const instance = instanceFor(flags.config)
    const config = readConfig(instance)
    if (!config) {
      this.say('Not logged in')
      return { loggedOut: false, hubForgot: null }
    }
    ensureInstanceFolder(instance)
    const found = await findAgent(instance)
    const lock = found.state === 'running' ? undefined : await takeAgentLock(instance)
    if (!lock) {
      const isForeground = found.state === 'running' && found.agent.mode === 'foreground'
      throw new ConnectError('AGENT_RUNNING', 'An agent is running with this credential', {
        hints: [isForeground ? 'End it with Ctrl-C where it runs.' : 'Run: connect daemon stop'],
      })
    }
    try {
      const forgotten = await this.leave({ ...config, hub: hubOf(config) })
      removeFile(instance.configFile)
      releaseInstanceName(instance)
      this.say(`[ok] Logged out of ${config.hub}`)
      return { loggedOut: true, hubForgot: forgotten }
    } finally {
      lock.release()
    }
  }

  /** A hub that can't be told keeps a public key that nobody can use any more. */
  private async leave(config: Config): Promise<boolean> {
    try {
      await new HubApi(config).leave(new Signer(config))
      return true
    } catch (error) {
      if (!(error instanceof ConnectError)) throw error
      this.tell(`[!] The hub could not be told: ${messageOf(error)}`)
      return false
    }
  }
}
