import { ConnectCommand } from '../../../cli/command.ts'
import { localTime } from '../../../cli/format/local-time.ts'
import { formatTable } from '../../../cli/format/table.ts'
import { dataDirFlag, hubFolder } from '../../../cli/hub/flags.ts'
import { withStore } from '../../../cli/hub/with-store.ts'
import { printable } from '../../../text/printable.ts'

export default class HubAgentList extends ConnectCommand {
  static override summary = 'List the machines that have joined'
  static override enableJsonFlag = true
  static override flags = dataDirFlag

  async run() {
    const { flags } = await this.parse(HubAgentList)
    const stored = await withStore(hubFolder(flags['data-dir']), (store) => store.agents())
    const agents = stored.map(({ id, label, joinedAt, revoked }) => ({
      id,
      label,
      revoked,
      joinedAt: new Date(joinedAt).toISOString(),
    }))
    const rows = agents.map(({ id, label, joinedAt, revoked }) => [
      id,
      printable(label),
      localTime(joinedAt),
      revoked ? 'revoked' : '',
    ])
    const lines = formatTable([['ID', 'LABEL', 'JOINED', ''], ...rows])
    for (const line of rows.length > 0 ? lines : ['No machine has joined yet']) this.print(line)
    return { agents }
  }
}
