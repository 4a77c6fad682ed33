import { Args, Flags } from '@oclif/core'
import { ConnectCommand } from '../../cli/command.ts'
import { localTime } from '../../text/local-time.ts'
import { formatTable } from '../../cli/format/table.ts'
import { givenDataFolder } from '../../cli/hub/data-folder.ts'
import { dataDirFlag, hubFolder } from '../../cli/hub/flags.ts'
import { hubInstance } from '../../config/hub/hub-instance.ts'
import { givenPath } from '../../files/given-path.ts'
import { restoreBackup, type Restored } from '../../hub/backup/restore-backup.ts'
import { printable } from '../../text/printable.ts'
import { shellQuote } from '../../text/shell-quote.ts'
import { tilde } from '../../text/tilde.ts'

const AUTHORITY = {
  restored: '  The hub has its own authority again: machines that trusted it still do',
  kept: '  The hub keeps the authority of its own that it has: the backup has another one',
}

export default class HubRestore extends ConnectCommand {
  static override summary = 'Bring back what a backup has, while no hub runs'
  static override description =
    'What is there is kept beside. All join tokens are revoked, and machines that are revoked stay so, whatever the backup says.'
  static override examples = ['<%= config.bin %> hub restore /mnt/backups/hub-2026-11-27.db']
  static override enableJsonFlag = true
  static override args = {
    file: Args.string({ description: 'what connect hub backup has made', required: true }),
  }
  static override flags = {
    ...dataDirFlag,
    replace: Flags.boolean({
      description: 'though another hub’s data is there, whose machines would have to join anew',
    }),
  }

  async run() {
    const { args, flags } = await this.parse(HubRestore)
    const { 'data-dir': given } = flags
    // Whoever names a folder that was lost with its disk means to have it anew, see absent-data.ts.
    const instance = hubInstance({ dataDir: given === undefined ? hubFolder(given) : givenDataFolder(given) })
    const restored = await restoreBackup(instance, givenPath(args.file), { replace: flags.replace })
    const { hubId, madeAt, agents, before, kept, authority } = restored
    const made = madeAt === undefined ? undefined : new Date(madeAt).toISOString()
    this.print(`[ok] Restored the hub${made === undefined ? '' : ` as it was on ${localTime(made)}`}`)
    for (const line of linesOf(restored)) this.print(line)
    if (before !== 'same') {
      this.printWarning(
        'Who was revoked, removed or has logged out since that backup is not known here',
        'Revoke what should not be in this list: connect hub agent revoke ID',
      )
    }
    const where = flags['data-dir'] === undefined ? '' : ` --data-dir ${shellQuote(flags['data-dir'])}`
    this.tellNext(`connect hub start${where}`)
    return {
      hubId,
      madeAt: made ?? null,
      before,
      kept: kept ?? null,
      authority: authority ?? null,
      agents: agents.map(({ id, label, revoked, names, hadLeft }) => ({
        id,
        label,
        revoked,
        hadLeft,
        names,
      })),
    }
  }
}

function linesOf({ agents, kept, authority }: Restored): string[] {
  const rows = agents.map(({ id, label, names, revoked, hadLeft }) => [
    id,
    printable(label),
    names.join(' ') || '-',
    revoked ? 'revoked' : hadLeft ? 'had left since' : '',
  ])
  return [
    ...(rows.length > 0
      ? formatTable([['ID', 'LABEL', 'NAMES', ''], ...rows])
      : ['No machine had joined yet']),
    '  All join tokens are revoked',
    ...(authority ? [AUTHORITY[authority]] : []),
    ...(kept === undefined ? [] : [`  What was there is kept in ${tilde(kept)}`]),
  ]
}
