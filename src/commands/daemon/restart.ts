import { DaemonCommand } from '../../cli/kept/daemon-command.ts'
import { replaceFlag } from '../../cli/flags.ts'
import { formatConnection } from '../../cli/format/connection.ts'
import { formatStopped } from '../../cli/format/stopped.ts'
import { daemonOf } from '../../tasks/daemon-context.ts'
import { startDaemon } from '../../tasks/start.ts'
import { tilde } from '../../text/tilde.ts'

export default class DaemonRestart extends DaemonCommand {
  static override summary = 'Restart the daemon'
  static override flags = replaceFlag

  async run() {
    const { flags } = await this.parse(DaemonRestart)
    this.refuseSudo()
    const { context } = this.contextFor(flags)
    const daemon = daemonOf(context)
    await this.warnIfCarried(context, 'while the daemon restarts')
    const report = await startDaemon(context, daemon, {
      running: 'stop',
      onStart: ({ state }) => {
        if (state === 'stopped') this.print('No daemon was running')
      },
    })
    const { stopped } = report
    if (stopped) for (const line of formatStopped({ stopped, foregroundPid: null }, 'agent')) this.print(line)
    if (report.updated !== null) this.print(`  Updated: ${tilde(report.updated)}`)
    this.print('[ok] Daemon started')
    this.print(`  PID: ${report.pid}`)
    this.print(`  Hub: ${formatConnection(report.hub)}`)
    return report
  }
}
