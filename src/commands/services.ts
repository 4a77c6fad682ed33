import { probeService } from '../agent/probe-service.ts'
import { ConnectCommand } from '../cli/command.ts'
import { configFlag } from '../cli/flags.ts'
import { formatTable } from '../cli/format/table.ts'
import { hubOf, requireConfig } from '../config/config.ts'
import { instanceFor } from '../config/instance.ts'
import { listService, readServices } from '../config/services.ts'
import { formatTarget } from '../config/target.ts'
import { ConnectError, messageOf } from '../errors.ts'
import { askOffers } from '../hub-client/find-services.ts'
import { printable } from '../text/printable.ts'

export default class Services extends ConnectCommand {
  static override summary = 'List what this machine exposes, and what the workspace offers'
  static override enableJsonFlag = true
  static override flags = configFlag

  async run() {
    const { flags } = await this.parse(Services)
    const instance = instanceFor(flags.config)
    const config = requireConfig(instance)
    const asked = await Promise.all(
      readServices(instance).map(async (service) => ({
        service,
        answer: await probeService(service, config.hubId),
      })),
    )
    const exposed = asked.map(({ service, answer }) => ({
      ...listService(service),
      answering: answer.isListening,
      reason: answer.isListening ? null : answer.why,
    }))
    this.print('Exposed by this machine:')
    this.table(
      ['NAME', 'TARGET', ''],
      asked.map(({ service, answer }) => [
        service.name,
        formatTarget(service),
        answer.isListening ? 'answers' : `does not answer now: ${answer.why}`,
      ]),
    )
    try {
      const offered = await askOffers({ ...config, hub: hubOf(config) })
      this.print('Offered in the workspace:')
      this.table(
        ['NAME', 'PORT', 'FROM', 'AGENT ID', 'AGENT'],
        offered.map(({ name, port, label, agent, online }) => [
          name,
          port === null ? 'none' : String(port),
          printable(label),
          agent,
          online ? 'online' : 'offline',
        ]),
      )
      const other = offered.find(({ agent, online }) => online && agent !== config.agentId)
      if (other) this.suggestNext(`connect reach ${other.name}`)
      return { exposed, offered }
    } catch (error) {
      if (!(error instanceof ConnectError)) throw error
      this.printWarning(`What the workspace offers is not known: ${messageOf(error)}`)
      process.exitCode = 1
      return { exposed, offered: null }
    }
  }

  private table(headings: string[], rows: string[][]): void {
    for (const line of rows.length > 0 ? formatTable([headings, ...rows]) : ['(nothing)'])
      this.print(`  ${line}`)
  }
}
