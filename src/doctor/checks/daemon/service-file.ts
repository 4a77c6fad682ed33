import { readText } from '../../../files/read-text.ts'
import { daemonOf } from '../../../tasks/daemon-context.ts'
import { isOwnSshSession } from '../../../tasks/own-ssh-session.ts'
import { tilde } from '../../../text/tilde.ts'
import type { Check } from '../../check.ts'
import { PLATFORM_MS, type DoctorContext } from '../../context.ts'

/** An upgrade, or a hand, leaves a service behind that is not what this version would write. */
export const serviceFile: Check<DoctorContext> = {
  name: 'service-file',
  group: 'daemon',
  title: 'What is installed',
  timeoutMs: PLATFORM_MS,
  async run(context) {
    const { instance, env } = context
    const { description, platform } = await context.chosen()
    if (!(await description.isInstalled({ instance, env })))
      return { state: 'skipped', seen: 'Nothing is installed' }
    if (!platform.plan) return { state: 'skipped', seen: `${description.name} does not tell what it writes` }
    const daemonContext = await context.daemonContext()
    const { files, warnings: [warning] = [] } = await platform.plan(daemonOf(daemonContext))
    const differing = files.flatMap(({ file, content }) => {
      const differences = differencesOf(readText(file), content)
      return differences === undefined ? [] : [`${tilde(file)} ${differences}`]
    })
    if (differing.length === 0 && warning !== undefined)
      return { state: 'warning', seen: 'It may be kept from running', fix: warning }
    if (differing.length === 0)
      return {
        state: 'ok',
        seen: files.map(({ file }) => tilde(file)).join(', ') || 'Nothing that has a file',
      }
    const seen = differing.join('; ')
    if ((await context.daemon()).state !== 'running')
      return { state: 'warning', seen, fix: 'A start writes it anew: connect daemon start' }
    return {
      state: 'warning',
      seen,
      fix: 'Have it written anew, which ends what the daemon carries for a moment: connect daemon restart',
      ...(!(await isOwnSshSession(daemonContext)) && { mend: () => context.restart() }),
    }
  },
}

/** @returns undefined if there are none */
function differencesOf(found: string | undefined, wanted: string): string | undefined {
  if (found === wanted) return undefined
  if (found === undefined) return 'is gone'
  const [before, after] = [found, wanted].map((text) => text.split('\n')) as [string[], string[]]
  const lines = [
    ...before.filter((line) => !after.includes(line)),
    ...after.filter((line) => !before.includes(line)),
  ]
  const changed = lines.map(settingOf).filter((name) => name !== undefined)
  const settings = [...new Set(changed)].slice(0, 5).join(', ')
  return `differs from what this version writes${settings === '' ? '' : ` (${settings})`}`
}

/** Of a unit's line, or of a plist's. */
function settingOf(line: string): string | undefined {
  return /^(\w+)=/.exec(line)?.[1] ?? /<key>([^<]*)<\/key>/.exec(line)?.[1]
}
