import { Args } from '@oclif/core'
import { dataDirFlag } from '../../../cli/hub/flags.ts'
import { ShutOutCommand } from '../../../cli/hub/shut-out-command.ts'

export default class HubAgentRemove extends ShutOutCommand {
  static override summary = 'Forget a machine that is of no use any more; its names are free'
  static override description =
    'Its links end, and it can join again with a new join token. To keep it out, revoke it: connect hub agent revoke.'
  static override enableJsonFlag = true
  static override args = {
    id: Args.string({ description: 'its id, from: connect hub agent list', required: true }),
  }
  static override flags = dataDirFlag

  async run() {
    const { args, flags } = await this.parse(HubAgentRemove)
    return { removed: args.id, saved: await this.shutOut(flags['data-dir'], 'remove agent', args.id) }
  }
}
