import { ConnectCommand } from '../../../cli/command.ts'
import { localTime } from '../../../text/local-time.ts'
import { formatTable } from '../../../cli/format/table.ts'
import { dataDirFlag, hubFolder } from '../../../cli/hub/flags.ts'
import { withStore } from '../../../cli/hub/with-store.ts'

export default class HubTokenList extends ConnectCommand {
  static override summary = 'List the join tokens that were made: never the tokens themselves'
  static override enableJsonFlag = true
  static override flags = dataDirFlag

  async run() {
    const { flags } = await this.parse(HubTokenList)
    const stored = await withStore(hubFolder(flags['data-dir']), (store) => store.tokens())
    const tokens = stored.map(({ createdAt, expiresAt, ...token }) => ({
      ...token,
      createdAt: new Date(createdAt).toISOString(),
      expiresAt: new Date(expiresAt).toISOString(),
    }))
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
