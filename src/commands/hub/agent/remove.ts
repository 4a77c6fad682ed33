import { Args } from '@oclif/core'
import { ConnectCommand } from '../../../cli/command.ts'
import { dataDirFlag, hubFolder } from '../../../cli/hub/flags.ts'
import { shutOut, unsavedLines } from '../../../cli/hub/shut-out.ts'

export default class HubAgentRemove extends ConnectCommand {
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
    const reply = await shutOut(hubFolder(flags['data-dir']), 'remove agent', args.id)
    if (reply.saved) this.print(`[ok] Removed ${args.id}`)
    else {
      for (const line of unsavedLines(`Removed ${args.id}`, reply.reason)) this.printError(line)
      process.exitCode = 1
    }
    return { removed: args.id, saved: reply.saved }
  }
}
