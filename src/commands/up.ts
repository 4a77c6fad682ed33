import { Flags } from '@oclif/core'
import { runAgent } from '../agent/agent.ts'
import { DaemonCommand } from '../cli/kept/daemon-command.ts'
import { caFlag, insecureFlag, labelFlag } from '../cli/flags.ts'
import { formatStarted } from '../cli/format/started.ts'
import { ensureLogin } from '../cli/login/ensure-login.ts'
import { userPlugins } from '../cli/plugins/ask-user-plugins.ts'
import { willDetach } from '../cli/will-detach.ts'
import { instanceFor } from '../config/instance.ts'
import { findProcess } from '../control/find-process.ts'
import { keptExitCode } from '../kept/exit-code.ts'
import { terminalLog } from '../log/log.ts'
import { daemonOf } from '../tasks/daemon-context.ts'
import { joinNotes } from '../tasks/machine/next-step.ts'
import { startStep } from '../tasks/machine/start-step.ts'
import { startDaemon } from '../tasks/start.ts'

export default class Up extends DaemonCommand {
  static override summary = 'Log in if needed, then run the agent in the foreground until Ctrl-C'
  static override description =
    'With --detach, and by itself where CI is set and there is no terminal, the agent goes to the background instead.'
  static override flags = {
    ...caFlag,
    ...insecureFlag,
    ...labelFlag,
    'token-file': Flags.string({
      description: 'read the invite or join token from a file; - for stdin',
      helpValue: 'FILE',
    }),
    detach: Flags.boolean({ description: 'hand over to: connect daemon start', exclusive: ['foreground'] }),
    foreground: Flags.boolean({ description: 'stay in the foreground, even where CI is set' }),
  }

  async run() {
    const { flags } = await this.parse(Up)
    const instance = instanceFor(flags.config)
    const detach = willDetach(flags)
    if (detach) this.refuseSudo('up --detach')
    const { config, isNew } = await ensureLogin(instance, flags)
    if (isNew) this.print(`[ok] Logged in to ${config.hub} as ${config.agentId}`)
    if (detach) {
      const { context } = this.contextFor(flags)
      const report = await startDaemon(context, daemonOf(context), { running: 'keep' })
      for (const line of formatStarted(report, context)) this.print(line)
      return { agentId: config.agentId, detached: true, pid: report.pid }
    }
    const found = await findProcess(instance)
    if (found.state === 'running') {
      const { mode, pid } = found.agent
      this.print(
        `[ok] The agent is already running (PID: ${pid}), ${mode === 'daemon' ? 'as the daemon' : 'in the foreground'}`,
      )
      return { agentId: config.agentId, detached: mode === 'daemon', pid }
    }
    const { command, note } = await startStep(instance, userPlugins(this.config))
    const sayHowToKeep = () => {
      this.printError('The agent runs in the foreground, until Ctrl-C.')
      this.tellNext(command, joinNotes('after Ctrl-C, to keep it running', note))
    }
    const log = terminalLog((line) => this.print(line))
    const { version } = this.config
    await this.carryData(async (signal) => {
      await runAgent(
        {
          instance,
          hub: flags.hub,
          mode: 'foreground',
          version,
          log,
          waitForOthers: false,
          onOwner: sayHowToKeep,
        },
        signal,
      )
      log('Stopped')
    })
    return { agentId: config.agentId, detached: false, pid: process.pid }
  }

  /** The agent itself may have failed for good: then whatever runs `connect up` must not start it again. */
  protected override async catch(error: Error): Promise<void> {
    await super.catch(error)
    if (process.exitCode === 1) process.exitCode = keptExitCode(error)
  }
}
