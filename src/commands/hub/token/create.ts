import { Flags } from '@oclif/core'
import { ConnectCommand } from '../../../cli/command.ts'
import { localTime } from '../../../text/local-time.ts'
import { createToken } from '../../../cli/hub/create-token.ts'
import { newHubFolder } from '../../../cli/hub/data-folder.ts'
import { dataDirFlag } from '../../../cli/hub/flags.ts'
import { invitedHub } from '../../../cli/hub/invited-hub.ts'
import { userPlugins } from '../../../cli/plugins/ask-user-plugins.ts'
import { hubInstance } from '../../../config/hub/hub-instance.ts'
import { isLoopback } from '../../../config/hub-url.ts'
import { ownHubStep } from '../../../tasks/machine/start-step.ts'
import { parseDuration } from '../../../text/duration.ts'
import { formatInvite } from '../../../tunnel/protocol/invite.ts'

export default class HubTokenCreate extends ConnectCommand {
  static override summary = 'Make a join token or an invite, and print it alone on stdout'
  static override description =
    'It is shown this once: the hub keeps only its hash. It works at once, also while the hub runs. An invite also tells the hub’s address and certificate, so that connect login asks for nothing else.'
  static override examples = [
    '<%= config.bin %> hub token create --invite',
    '<%= config.bin %> hub token create',
    '<%= config.bin %> hub token create --ttl 7d --uses 10',
  ]
  static override enableJsonFlag = true
  static override flags = {
    ...dataDirFlag,
    invite: Flags.boolean({
      description: 'with the hub’s address and certificate: all that a machine needs to join',
    }),
    ttl: Flags.string({
      description: 'how long it may be used: 30s, 10m, 1h, 7d',
      default: '1h',
      helpValue: 'TIME',
    }),
    uses: Flags.integer({
      description: 'how many machines may join with it',
      default: 1,
      helpValue: 'N',
      min: 1,
      max: 1_000_000,
    }),
  }

  async run() {
    const { flags } = await this.parse(HubTokenCreate)
    const { uses } = flags
    const ttlMs = parseDuration(flags.ttl)
    const folder = newHubFolder(flags['data-dir'])
    // Before the token: what can't be told would let nobody in.
    const hub = flags.invite ? await invitedHub(folder) : undefined
    const { id, token, expiresAt } = await createToken(folder, { ttlMs, uses })
    if (!hub) {
      this.print(token)
      return { id, token }
    }
    const invite = formatInvite({ ...hub, token })
    const expires = new Date(expiresAt).toISOString()
    // To be copied as it is: never wrapped.
    this.log(invite)
    // Piped on, it needs nobody to paste it, and is for wherever that is.
    const isToBePasted = process.stdout.isTTY && process.stderr.isTTY
    if (isLoopback(new URL(hub.address).hostname)) {
      const step = isToBePasted ? await ownHubStep(hubInstance(), userPlugins(this.config)) : undefined
      const fix = step && `For other machines: ${step.command}`
      this.printWarning(`This invite is good on this machine only: its hub is reached at ${hub.address}`, fix)
    } else if (isToBePasted) {
      this.printError(`For ${uses === 1 ? 'one machine' : `${uses} machines`}, until ${localTime(expires)}`)
      this.printError('  There run, and paste it where it is asked for: connect login')
    }
    return { id, invite, address: hub.address, expiresAt: expires }
  }
}
