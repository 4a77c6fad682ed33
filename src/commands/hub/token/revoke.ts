import { Args } from '@oclif/core'
import { dataDirFlag } from '../../../cli/hub/flags.ts'
import { ShutOutCommand } from '../../../cli/hub/shut-out-command.ts'

export default class HubTokenRevoke extends ShutOutCommand {
  static override summary = 'Revoke a join token; machines that have joined with it stay'
  static override enableJsonFlag = true
  static override args = {
    id: Args.string({ description: 'its id, from: connect hub token list', required: true }),
  }
  static override flags = dataDirFlag

  async run() {
    const { args, flags } = await this.parse(HubTokenRevoke)
    return { revoked: args.id, saved: await this.shutOut(flags['data-dir'], 'revoke token', args.id) }
  }
}
