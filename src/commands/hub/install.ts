import { Flags } from '@oclif/core'
import { formatHubTold, formatJoining } from '../../cli/format/hub-told.ts'
import { formatPlan, installedLines } from '../../cli/format/installed.ts'
import { HubCommand } from '../../cli/kept/hub-command.ts'
import { platformFlag } from '../../cli/flags.ts'
import { createToken } from '../../cli/hub/create-token.ts'
import { resetFlag } from '../../cli/hub/service-flags.ts'
import { givenSettings, serveFlags } from '../../cli/hub/serve-flags.ts'
import { readConfig } from '../../config/config.ts'
import type { HubInstance } from '../../config/hub/hub-instance.ts'
import { JOIN_OWN_HUB } from '../../config/first-steps.ts'
import { instanceFor } from '../../config/instance.ts'
import { settingsWith } from '../../tasks/hub/hub-context.ts'
import { joinHere, type Joining } from '../../tasks/hub/join-here.ts'
import { leftAddress, lostMembers } from '../../tasks/hub/lost-members.ts'
import { installHubService, planHubInstall, toldBy } from '../../tasks/hub/start-hub.ts'
import { Problems } from '../../tasks/machine/problems.ts'

const WOULD_JOIN = 'Would have this machine join the hub.'

export default class HubInstall extends HubCommand {
  static override summary = 'Install the hub as a system service (launchd on macOS, systemd on Linux)'
  static override description =
    'It speaks HTTPS: with a certificate that you give, or one that it makes for itself. Flags that are given are kept for the next start. A hub that runs with others is started anew. This machine joins it, unless it is logged in already.'
  static override examples = [
    '<%= config.bin %> hub install',
    '<%= config.bin %> hub install --listen 0.0.0.0:7700',
    '<%= config.bin %> hub install --plain-http --url https://hub.example.com',
  ]
  static override flags = {
    ...serveFlags,
    ...resetFlag,
    ...platformFlag,
    'no-join': Flags.boolean({ description: 'don’t let this machine join the hub' }),
    'dry-run': Flags.boolean({
      description: 'print what would be written and run, and whether this machine would join, and do nothing',
    }),
  }

  async run() {
    const { flags } = await this.parse(HubInstall)
    this.refuseSudo()
    const settings = { given: givenSettings(flags), reset: flags.reset }
    const wanted = settingsWith(settings)
    const { context, selection } = this.hubContext(wanted)
    const manager = selection.description.name
    if (flags['dry-run']) {
      const planned = await planHubInstall(context, settings, selection)
      const isJoined = new Problems().look(() => readConfig(instanceFor()) !== undefined)
      const joins = !flags['no-join'] && (await isJoined) === false
      // To be copied as it is: never wrapped.
      for (const line of formatPlan(planned, 'hub', joins ? WOULD_JOIN : undefined)) this.log(line)
      for (const warning of planned.warnings) this.printWarning(warning)
      return { ...planned, manager, joining: null }
    }
    const address = await leftAddress(wanted)
    const left = this.leftBehind(context.instance)
    const installed = await installHubService(context, settings, {
      selection,
      onStart: () => {
        this.print('🔧 Installing Private Connect hub...')
        this.print()
      },
    })
    const joining = flags['no-join'] ? null : await this.#join(context.instance)
    // By now a slow one may say what it didn't say at its start.
    const later = installed.listen === null ? await toldBy(context) : undefined
    const report = { ...installed, ...later, warnings: [...installed.warnings, ...(later?.warnings ?? [])] }
    const told = [...formatHubTold(report), ...(joining ? formatJoining(joining) : [])]
    for (const line of installedLines(report, 'hub', told)) this.print(line)
    for (const warning of [...report.warnings, left, this.behindProxy(wanted)])
      if (warning !== undefined) this.printWarning(warning)
    const lost = lostMembers(address, joining)
    if (lost !== undefined) this.printWarning(lost)
    await this.#tellNext(joining, report.url)
    return { installed: true, manager, ...report, plan: null, joining }
  }

  #join(hub: HubInstance): Promise<Joining> {
    return joinHere(hub, instanceFor(), async () => {
      // It is spent at once, or never.
      const { token } = await createToken(hub.dataFolder, { ttlMs: 60_000, uses: 1 })
      return token
    })
  }

  async #tellNext(joining: Joining | null, url: string | null): Promise<void> {
    if (joining?.outcome === 'failed') {
      this.printWarning(`This machine has not joined the hub: ${joining.reason}`)
      this.tellNext(JOIN_OWN_HUB, 'joins the hub here')
      return
    }
    await this.sayNext(joining?.outcome, url)
  }
}
