import { Args } from '@oclif/core'
import { ConnectCommand } from '../../cli/command.ts'
import { dataDirFlag, hubFolder } from '../../cli/hub/flags.ts'
import { hubInstance } from '../../config/hub/hub-instance.ts'
import { givenPath } from '../../files/given-path.ts'
import { makeBackup } from '../../hub/backup/make-backup.ts'
import { requestHub } from '../../hub/control/client.ts'
import { SavedReply } from '../../hub/control/schema.ts'
import { counted } from '../../text/counted.ts'
import { tilde } from '../../text/tilde.ts'

export default class HubBackup extends ConnectCommand {
  static override summary = 'Write all that the hub has saved into one file, also while it runs'
  static override description =
    'Machines, names, join tokens, and the key of the hub’s own authority: who has that file can pretend to be the hub, so keep it as you keep a password. A certificate that you have given, and the flags of hub install, are not in it.'
  static override examples = ['<%= config.bin %> hub backup /mnt/backups/hub-$(date +%F).db']
  static override enableJsonFlag = true
  static override args = {
    file: Args.string({ description: 'a file that is not there yet', required: true }),
  }
  static override flags = dataDirFlag

  async run() {
    const { args, flags } = await this.parse(HubBackup)
    const folder = hubFolder(flags['data-dir'])
    const file = givenPath(args.file)
    const saved = await requestHub(hubInstance({ dataDir: folder }), 'GET', '/v1/saved', SavedReply)
    const { unnoted, ...backup } = await makeBackup(folder, file, saved)
    const { bytes, machines, names, tokens, hasKey } = backup
    this.print(`[ok] Backed up the hub to ${tilde(file)} (${Math.ceil(bytes / 1024)} KB)`)
    const counts = [counted(machines, 'machine'), counted(names, 'name'), counted(tokens, 'valid join token')]
    this.print(`  ${counts.join(', ')}`)
    if (hasKey) this.print('  The key of the hub’s own authority is in it: keep it as you keep a password')
    if (unnoted !== undefined) this.printWarning(`connect doctor will not know of this backup. ${unnoted}`)
    const unsaved = saved?.unsaved?.changes ?? 0
    if (saved?.unsaved && unsaved > 0) {
      this.printWarning(
        `It lacks ${counted(unsaved, 'change')} that the hub can’t save: ${saved.unsaved.reason}`,
        'Fix that, then make another one.',
      )
      process.exitCode = 1
    }
    return { file, ...backup, unsaved }
  }
}
