import { DaemonCommand } from '../../cli/kept/daemon-command.ts'
import { formatStopped } from '../../cli/format/stopped.ts'
import { checkConfig } from '../../tasks/daemon-context.ts'
import { stopKept } from '../../tasks/stop.ts'

export default class DaemonStop extends DaemonCommand {
  static override summary = 'Stop the daemon'

  async run() {
    const { flags } = await this.parse(DaemonStop)
    this.refuseSudo()
    const { context } = this.contextFor(flags)
    await this.warnIfCarried(context, 'until the daemon is started again')
    const report = await stopKept(context)
    if (!report.stopped && report.foregroundPid === null) checkConfig(context)
    for (const line of formatStopped(report, 'agent')) this.print(line)
    return report
  }
}
