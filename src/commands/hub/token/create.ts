import { Flags } from '@oclif/core'
import { ConnectCommand } from '../../../cli/command.ts'
import { dataDirFlag, hubFolder } from '../../../cli/hub/flags.ts'
import { withStore } from '../../../cli/hub/with-store.ts'
import { parseDuration } from '../../../text/duration.ts'

export default class HubTokenCreate extends ConnectCommand {
  static override summary = 'Make a join token, and print it alone on stdout'
  static override description =
    'It is shown this once: the hub keeps only its hash. It works at once, also while the hub runs.'
  static override examples = [
    '<%= config.bin %> hub token create',
    '<%= config.bin %> hub token create --ttl 7d --uses 10',
  ]
  static override enableJsonFlag = true
  static override flags = {
    ...dataDirFlag,
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
    const { id, token } = await withStore(
      hubFolder(flags['data-dir']),
      (store) => store.createToken({ ttlMs, uses }),
      // The first token may well come before the hub's first start.
      { existing: false },
    )
    this.print(token)
    return { id, token }
  }
}
