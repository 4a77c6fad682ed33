import { Args } from '@oclif/core'
import { ConnectCommand } from '../../../cli/command.ts'
import { dataDirFlag, hubFolder } from '../../../cli/hub-flags.ts'
import { withStore } from '../../../cli/with-store.ts'

export default class HubAgentRevoke extends ConnectCommand {
  static override summary = 'Shut a machine out: its links end within a second, and it is not let in again'
  static override enableJsonFlag = true
  static override args = {
    id: Args.string({ description: 'its id, from: connect hub agent list', required: true }),
  }
  static override flags = dataDirFlag

  async run() {
    const { args, flags } = await this.parse(HubAgentRevoke)
    await withStore(hubFolder(flags['data-dir']), (store) => store.revokeAgent(args.id))
    this.say(`[ok] Revoked ${args.id}`)
    return { revoked: args.id }
  }
}
