import { Args } from '@oclif/core'
import { ConnectCommand } from '../../../cli/command.ts'
import { dataDirFlag, hubFolder } from '../../../cli/hub-flags.ts'
import { withStore } from '../../../cli/with-store.ts'

export default class HubTokenRevoke extends ConnectCommand {
  static override summary = 'Make a join token useless; machines that have joined with it stay'
  static override enableJsonFlag = true
  static override args = {
    id: Args.string({ description: 'its id, from: connect hub token list', required: true }),
  }
  static override flags = dataDirFlag

  async run() {
    const { args, flags } = await this.parse(HubTokenRevoke)
    await withStore(hubFolder(flags['data-dir']), (store) => store.revokeToken(args.id))
    this.say(`[ok] Revoked ${args.id}`)
    return { revoked: args.id }
  }
}
