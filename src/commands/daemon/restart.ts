import { DaemonCommand } from '../../cli/daemon-command.ts'
import { describeStop } from '../../cli/describe-stop.ts'
import { replaceFlag } from '../../cli/flags.ts'
import { describeHub } from '../../cli/say-started.ts'
import { tilde } from '../../config/tilde.ts'
import { daemonOf } from '../../tasks/daemon-context.ts'
import { startDaemon } from '../../tasks/start.ts'

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
        if (state === 'stopped') this.say('No daemon was running')
      },
    })
    const { stopped } = report
    if (stopped) for (const line of describeStop({ stopped, foregroundPid: null })) this.say(line)
    if (report.updated !== null) this.say(`  Updated: ${tilde(report.updated)}`)
    this.say('[ok] Daemon started')
    this.say(`  PID: ${report.pid}`)
    this.say(`  Hub: ${describeHub(report.hub)}`)
    return report
  }
}
