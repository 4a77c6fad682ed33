import { homedir } from 'node:os'
import { Flags } from '@oclif/core'
import { diagnose } from '../cli/doctor/diagnose.ts'
import { configFlag } from '../cli/flags.ts'
import { formatBrief } from '../cli/doctor/format-brief.ts'
import { formatBundle } from '../cli/doctor/format-bundle.ts'
import { formatDoctor } from '../cli/doctor/format-doctor.ts'
import { KeptCommand } from '../cli/kept/kept-command.ts'
import { askPlugins } from '../cli/plugins/ask-plugins.ts'
import { instanceFor } from '../config/instance.ts'
import { checkBundleFile, writeBundle } from '../doctor/bundle/write-bundle.ts'
import { givenPath } from '../files/given-path.ts'
import { choosingFor } from '../platforms/selection/chosen.ts'

export default class Doctor extends KeptCommand {
  static override summary = 'Look for what is wrong here and on the way to the hub, and say what mends it'
  static override description =
    'It changes nothing without --fix, writes nothing without --bundle, and takes 15 seconds at the most. It exits 1 if anything failed.'
  static override enableJsonFlag = true
  static override flags = {
    ...configFlag,
    fix: Flags.boolean({
      description:
        'mend what costs nobody anything: owners and modes of our files, what was left over, lingering, a service that differs; asks first on a terminal',
    }),
    yes: Flags.boolean({ description: 'with --fix: ask nothing', dependsOn: ['fix'] }),
    verbose: Flags.boolean({
      description: 'on a terminal: show each check, as elsewhere, and not only what is to be acted on',
    }),
    bundle: Flags.string({
      description:
        'write what a bug report needs into a file that is not there yet, without keys, tokens, names and addresses',
      helpValue: 'FILE',
    }),
  }

  protected readonly kind = 'agent'

  async run() {
    const { flags } = await this.parse(Doctor)
    if (flags.fix) this.refuseSudo('doctor --fix')
    const { root, version } = this.config
    const choosing = choosingFor(this.config)
    const instance = instanceFor(flags.config)
    const plugins = () => askPlugins(this.config)
    const patient = { instance, home: homedir(), env: process.env, root, version, choosing, plugins }
    const file = flags.bundle === undefined ? undefined : givenPath(flags.bundle)
    if (file !== undefined) checkBundleFile(file)
    const { context, checked } = await diagnose(patient, {
      fix: flags.fix,
      asks: this.isWatched && process.stdin.isTTY && !flags.yes,
      watched: this.interactive,
      tell: (line) => this.printError(line),
    })
    const format = this.isWatched && !flags.verbose ? formatBrief : formatDoctor
    for (const line of format(checked)) this.print(line)
    const bundle = file === undefined ? null : await writeBundle(file, context, checked)
    if (bundle) for (const line of formatBundle(bundle)) this.print(line)
    const isWell = checked.every(({ state }) => state !== 'failed')
    if (!isWell) process.exitCode = 1
    return {
      ok: isWell,
      checks: checked.map(({ check: { group, name, title }, state, seen, fix, mended, unmended }) => ({
        group,
        name,
        title,
        state,
        seen,
        fix: fix ?? null,
        mended: mended ?? null,
        unmended: unmended ?? null,
      })),
      bundle,
    }
  }
}
