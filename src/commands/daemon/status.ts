import { Flags } from '@oclif/core'
import { DaemonCommand } from '../../cli/kept/daemon-command.ts'
import { formatStatus } from '../../cli/format/status/daemon.ts'
import { daemonStatus, waitForConnected } from '../../tasks/status.ts'
import { parseDuration } from '../../text/duration.ts'

export default class DaemonStatus extends DaemonCommand {
  static override summary = 'Show daemon status (default action)'
  static override flags = {
    check: Flags.boolean({ description: 'exit 1 unless the daemon runs' }),
    wait: Flags.string({
      description: 'wait until it is connected to its hub, and exit 1 if that takes longer',
      helpValue: '30s',
    }),
  }

  async run() {
    const { flags } = await this.parse(DaemonStatus)
    const timeoutMs = flags.wait === undefined ? undefined : parseDuration(flags.wait)
    const { context } = this.contextFor(flags)
    const status =
      timeoutMs === undefined ? await daemonStatus(context) : await waitForConnected(context, timeoutMs)
    for (const line of formatStatus(status)) this.print(line)
    const isConnected = status.connection?.state === 'connected'
    const asked = (flags.check && status.status !== 'running') || (timeoutMs !== undefined && !isConnected)
    if (asked) process.exitCode = 1
    return status
  }
}
