import { Flags } from '@oclif/core'
import { formatHubStatus } from '../../cli/format/status/hub.ts'
import { HubCommand } from '../../cli/kept/hub-command.ts'
import { userPlugins } from '../../cli/plugins/ask-user-plugins.ts'
import { hubServiceStatus, isAnswering, waitForHub } from '../../tasks/hub/status.ts'
import { startStep } from '../../tasks/machine/start-step.ts'
import { parseDuration } from '../../text/duration.ts'

export default class HubStatus extends HubCommand {
  static override summary = 'Show how the hub stands'
  static override flags = {
    check: Flags.boolean({ description: 'exit 1 unless the hub runs' }),
    wait: Flags.string({
      description: 'wait until it answers, and exit 1 if that takes longer',
      helpValue: '30s',
    }),
  }

  async run() {
    const { flags } = await this.parse(HubStatus)
    const timeoutMs = flags.wait === undefined ? undefined : parseDuration(flags.wait)
    const { context } = this.hubContext()
    const status =
      timeoutMs === undefined ? await hubServiceStatus(context) : await waitForHub(context, timeoutMs)
    const start =
      status.foregroundPid === null ? undefined : await startStep(context.instance, userPlugins(this.config))
    for (const line of formatHubStatus(status, start)) this.print(line)
    const asked =
      (flags.check && status.status !== 'running') || (timeoutMs !== undefined && !isAnswering(status))
    if (asked) process.exitCode = 1
    return status
  }
}
