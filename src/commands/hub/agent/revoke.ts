import { Args } from '@oclif/core'
import { dataDirFlag } from '../../../cli/hub/flags.ts'
import { ShutOutCommand } from '../../../cli/hub/shut-out-command.ts'

export default class HubAgentRevoke extends ShutOutCommand {
  static override summary = 'Revoke a machine: its links end at once, and it is not let in again'
  static override enableJsonFlag = true
  static override args = {
    id: Args.string({ description: 'its id, from: connect hub agent list', required: true }),
  }
  static override flags = dataDirFlag

  async run() {
    const { args, flags } = await this.parse(HubAgentRevoke)
    return { revoked: args.id, saved: await this.shutOut(flags['data-dir'], 'revoke agent', args.id) }
  }
}
