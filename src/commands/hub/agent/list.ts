import { ConnectCommand } from '../../../cli/command.ts'
import { localTime } from '../../../text/local-time.ts'
import { formatTable } from '../../../cli/format/table.ts'
import { dataDirFlag, hubFolder } from '../../../cli/hub/flags.ts'
import { listAgents } from '../../../cli/hub/list-agents.ts'
import { hubInstance } from '../../../config/hub/hub-instance.ts'
import { restartAdvice } from '../../../control/restart-advice.ts'
import { printable } from '../../../text/printable.ts'

export default class HubAgentList extends ConnectCommand {
  static override summary = 'List the machines that have joined, and when they were connected last'
  static override enableJsonFlag = true
  static override flags = dataDirFlag

  async run() {
    const { flags } = await this.parse(HubAgentList)
    const folder = hubFolder(flags['data-dir'])
    const agents = await listAgents(folder)
    const rows = agents.map(({ id, label, joinedAt, revoked, online, lastSeen }) => [
      id,
      printable(label),
      localTime(joinedAt),
      online ? 'online' : lastSeen === null ? '-' : localTime(lastSeen),
      revoked ? 'revoked' : '',
    ])
    if (agents.some(({ online }) => online === null)) {
      const advice = restartAdvice(hubInstance({ dataDir: folder }))
      this.printWarning('The hub does not answer, so who is online is not known', advice)
    }
    const lines = formatTable([['ID', 'LABEL', 'JOINED', 'LAST SEEN', ''], ...rows])
    for (const line of rows.length > 0 ? lines : ['No machine has joined yet']) this.print(line)
    return { agents }
  }
}
