import { Args } from '@oclif/core'
import { ConnectCommand } from '../../../cli/command.ts'
import { dataDirFlag, hubFolder } from '../../../cli/hub/flags.ts'
import { shutOut, unsavedLines } from '../../../cli/hub/shut-out.ts'

export default class HubTokenRevoke extends ConnectCommand {
  static override summary = 'Revoke a join token; machines that have joined with it stay'
  static override enableJsonFlag = true
  static override args = {
    id: Args.string({ description: 'its id, from: connect hub token list', required: true }),
  }
  static override flags = dataDirFlag

  async run() {
    const { args, flags } = await this.parse(HubTokenRevoke)
    const reply = await shutOut(hubFolder(flags['data-dir']), 'revoke token', args.id)
    if (reply.saved) this.print(`[ok] Revoked ${args.id}`)
    else {
      for (const line of unsavedLines(`Revoked ${args.id}`, reply.reason)) this.printError(line)
      process.exitCode = 1
    }
    return { revoked: args.id, saved: reply.saved }
  }
}
