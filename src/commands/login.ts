import { Flags } from '@oclif/core'
import { ConnectCommand } from '../cli/command.ts'
import { caFlag, configFlag, hubFlag, insecureFlag, labelFlag } from '../cli/flags.ts'
import { ensureLogin } from '../cli/login/ensure-login.ts'
import { userPlugins } from '../cli/plugins/ask-user-plugins.ts'
import type { Config } from '../config/config.ts'
import { instanceFor, type AgentInstance } from '../config/instance.ts'
import { readServices } from '../config/services.ts'
import { ConnectError, messageOf } from '../errors.ts'
import { offeredElsewhere } from '../tasks/machine/offered-elsewhere.ts'
import { startStep } from '../tasks/machine/start-step.ts'
import { printable } from '../text/printable.ts'

export default class Login extends ConnectCommand {
  static override summary = 'Join a hub: get a credential for this machine and save it'
  static override description =
    'An invite or a join token comes from PRIVATECONNECT_TOKEN, from --token-file, or is asked for. An invite needs no --hub. It is spent once; already logged in, none is.'
  static override examples = [
    '<%= config.bin %> login',
    '<%= config.bin %> login --hub https://hub.example.com',
    '<%= config.bin %> login --token-file invite.txt',
    'ssh hub-machine connect hub token create --invite | <%= config.bin %> login --token-file -',
  ]
  static override enableJsonFlag = true
  static override flags = {
    ...configFlag,
    ...hubFlag,
    ...caFlag,
    ...insecureFlag,
    ...labelFlag,
    'token-file': Flags.string({
      description: 'read the invite or join token from a file; - for stdin',
      helpValue: 'FILE',
    }),
  }

  async run() {
    const { flags } = await this.parse(Login)
    const instance = instanceFor(flags.config)
    const { config, isNew } = await ensureLogin(instance, flags)
    const { agentId, label, hub } = config
    if (config.insecure)
      this.printWarning('The hub is reached over plain http: anyone on the way can read the traffic')
    this.print(isNew ? `[ok] Logged in to ${hub}` : `[ok] Already logged in to ${hub}`)
    this.print(`  Agent ID: ${agentId}`)
    this.print(`  Label: ${printable(label)}`)
    if (isNew) {
      this.tellExposed(instance)
      await this.suggestUse(instance, config)
    } else if (flags.ca !== undefined || flags.label !== undefined) {
      this.tellNext('connect daemon restart', 'if the daemon runs')
    }
    return { agentId, label, hub, alreadyLoggedIn: !isNew }
  }

  /** Whoever has come for a service is shown the way to it; else the machine most likely offers one. */
  private async suggestUse(instance: AgentInstance, config: Config): Promise<void> {
    if (!this.isWatched) return
    const { offered } = await offeredElsewhere(instance, config)
    const offer = offered?.find(({ online }) => online)
    if (offer) this.tellNext(`connect reach ${offer.name} --keep`)
    else this.tellStep(await startStep(instance, userPlugins(this.config)))
  }

  /** A list that can't be read is no reason to say that the login failed. */
  private tellExposed(instance: AgentInstance): void {
    try {
      const exposed = readServices(instance).map(({ name }) => name)
      if (exposed.length > 0) this.printWarning(`Exposed here, and so on this hub: ${exposed.join(', ')}`)
    } catch (error) {
      if (!(error instanceof ConnectError)) throw error
      this.printWarning(`What is exposed here is not known: ${messageOf(error)}`)
    }
  }
}
