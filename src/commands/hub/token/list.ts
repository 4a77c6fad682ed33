import { ConnectCommand } from '../../../cli/command.ts'
import { localTime } from '../../../text/local-time.ts'
import { formatTable } from '../../../cli/format/table.ts'
import { dataDirFlag, hubFolder } from '../../../cli/hub/flags.ts'
import { listTokens } from '../../../cli/hub/list-tokens.ts'

export default class HubTokenList extends ConnectCommand {
  static override summary = 'List the join tokens that were made: never the tokens themselves'
  static override enableJsonFlag = true
  static override flags = dataDirFlag

  async run() {
    const { flags } = await this.parse(HubTokenList)
    const tokens = await listTokens(hubFolder(flags['data-dir']))
    const rows = tokens.map(({ id, state, usesLeft, expiresAt }) => [
      id,
      state,
      String(usesLeft),
      localTime(expiresAt),
    ])
    const lines = formatTable([['ID', 'STATE', 'USES LEFT', 'EXPIRES'], ...rows])
    for (const line of rows.length > 0 ? lines : ['No join tokens']) this.print(line)
    return { tokens }
  }
}
