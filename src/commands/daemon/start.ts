import { DaemonCommand } from '../../cli/kept/daemon-command.ts'
import { replaceFlag } from '../../cli/flags.ts'
import { formatStarted } from '../../cli/format/started.ts'
import { daemonOf } from '../../tasks/daemon-context.ts'
import { startDaemon } from '../../tasks/start.ts'

export default class DaemonStart extends DaemonCommand {
  static override summary = 'Start the daemon'
  static override examples = ['<%= config.bin %> daemon start', '<%= config.bin %> daemon start --replace']
  static override flags = replaceFlag

  async run() {
    const { flags } = await this.parse(DaemonStart)
    this.refuseSudo()
    const { context } = this.contextFor(flags)
    const daemon = daemonOf(context)
    if (flags.replace) await this.warnIfCarried(context, 'while the daemon is replaced')
    const report = await startDaemon(context, daemon, {
      running: flags.replace ? 'stop' : 'keep',
      onStart: ({ installed }) => {
        this.print(
          `🚀 Starting daemon ${installed ? `through ${context.description.name}` : 'in background'}...`,
        )
        this.print()
      },
    })
    for (const line of formatStarted(report, context)) this.print(line)
    this.suggestUse(context)
    return report
  }
}
