import { Flags } from '@oclif/core'
import { ConnectCommand } from '../../cli/command.ts'
import { insecureFlag } from '../../cli/flags.ts'
import { dataDirFlag, hubFolder } from '../../cli/hub-flags.ts'
import { untilInterrupted } from '../../cli/until-interrupted.ts'
import { isLoopback } from '../../config/hub-url.ts'
import { printable } from '../../config/label.ts'
import { formatTarget, parseListenAddress } from '../../config/target.ts'
import { tilde } from '../../config/tilde.ts'
import { ConnectError } from '../../errors.ts'
import { startHub } from '../../hub/server.ts'

export default class HubRun extends ConnectCommand {
  static override summary = 'Run a hub on this machine, until Ctrl-C'
  static override description =
    'It listens on loopback with plain http; put a reverse proxy with TLS before it to reach it from elsewhere.'
  static override examples = [
    '<%= config.bin %> hub',
    '<%= config.bin %> hub --listen 127.0.0.1:7700 --data-dir /srv/hub',
  ]
  static override flags = {
    ...dataDirFlag,
    ...insecureFlag,
    listen: Flags.string({
      description: 'address to listen on',
      default: '127.0.0.1:7700',
      helpValue: 'HOST:PORT',
    }),
  }

  async run(): Promise<void> {
    const { flags } = await this.parse(HubRun)
    const { host, port } = parseListenAddress(flags.listen)
    if (!isLoopback(host)) {
      if (!flags.insecure) {
        throw new ConnectError('INSECURE_HUB', `The hub would speak plain http on ${flags.listen}`, {
          hints: ['Listen on 127.0.0.1 behind a reverse proxy with TLS, or accept the risk with --insecure.'],
        })
      }
      this.tell(`[!] The hub speaks plain http on ${flags.listen}: anyone on the way can read the traffic`)
    }
    const folder = hubFolder(flags['data-dir'])
    const log = (line: string) => this.say(`[${new Date().toTimeString().slice(0, 8)}] ${printable(line)}`)
    await untilInterrupted(async (signal) => {
      const hub = await startHub({ folder, host, port, version: this.config.version, log })
      this.say(`[ok] Hub listening on http://${formatTarget({ host, port: hub.port })}`)
      this.say(`  Data: ${tilde(folder)}`)
      this.say('  Let a machine join: connect hub token create')
      try {
        const stopped = new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve()))
        await Promise.race([stopped, hub.failed])
      } finally {
        await hub.close()
      }
      this.say('Hub stopped')
    })
  }
}
