import { Args, Flags } from '@oclif/core'
import { probeService } from '../agent/probe-service.ts'
import { ConnectCommand } from '../cli/command.ts'
import { configFlag } from '../cli/flags.ts'
import { userPlugins } from '../cli/plugins/ask-user-plugins.ts'
import { requireConfig } from '../config/config.ts'
import { letOthersIn } from '../config/first-steps.ts'
import { instanceFor } from '../config/instance.ts'
import { parseServiceName } from '../config/service-name.ts'
import { formatTarget, listTarget, parseTarget } from '../config/target.ts'
import { engineRights } from '../tasks/engine-socket.ts'
import { expose } from '../tasks/exposure.ts'
import { hubHere } from '../tasks/machine/hub-here.ts'
import { Problems } from '../tasks/machine/problems.ts'
import { startStep } from '../tasks/machine/start-step.ts'

export default class Expose extends ConnectCommand {
  static override summary =
    'Publish a TCP service or Unix socket of this machine, or a service that it can reach, under a name'
  static override description =
    'It is saved: it comes back whenever the agent does, after a restart or a reboot too.'
  static override examples = [
    '<%= config.bin %> expose localhost:5432 --name postgres',
    '<%= config.bin %> expose 3000 --name staging-api',
    '<%= config.bin %> expose unix:/run/postgresql/.s.PGSQL.5432 --name pg',
  ]
  static override enableJsonFlag = true
  static override args = {
    target: Args.string({
      description: '[HOST:]PORT to expose; without a host, this machine. Or a Unix socket: unix:PATH',
      required: true,
    }),
  }
  static override flags = {
    ...configFlag,
    name: Flags.string({ description: 'what others reach it by', helpValue: 'NAME', required: true }),
  }

  async run() {
    const { args, flags } = await this.parse(Expose)
    const name = parseServiceName(flags.name)
    const target = parseTarget(args.target)
    const instance = instanceFor(flags.config)
    const exposure = await expose(instance, { name, ...target })
    const { state, was } = exposure
    const what = `${formatTarget(target)} as ${name}${was ? ` (was ${formatTarget(was)})` : ''}`
    switch (state) {
      case 'confirmed': {
        this.print(`[ok] Exposing ${what}`)
        break
      }
      case 'saved': {
        this.print(`Saved: ${what}`)
        this.printWarning(`The hub has not confirmed it yet (${exposure.reason}); the agent keeps trying`)
        break
      }
      case 'no agent': {
        this.print(`Saved: ${what}`)
        this.printWarning('No agent is running here, so nobody can reach it yet')
        break
      }
    }
    const rights = 'path' in target ? engineRights(target.path) : undefined
    if (rights !== undefined)
      this.printWarning(
        `This is the socket of a container engine: whoever may reach ${name} can do here whatever ${rights} can`,
      )
    const { hubId } = requireConfig(instance)
    const asked = await probeService(target, hubId)
    if (!asked.isListening) this.printWarning(`Nothing answers at ${formatTarget(target)} now: ${asked.why}`)
    if (state === 'no agent') this.tellStep(await startStep(instance, userPlugins(this.config)))
    else if (state === 'confirmed' && this.isWatched) await this.#suggestReaching(name)
    const reason = state === 'saved' ? exposure.reason : null
    const before = was ? listTarget(was) : null
    return { name, ...listTarget(target), was: before, state, reason, answering: asked.isListening }
  }
  /** On the hub's own machine, where no other has joined yet, that comes first. */
  async #suggestReaching(name: string): Promise<void> {
    const hub = await new Problems().look(hubHere)
    if (hub?.joined !== 1) return this.suggestNext(`connect reach ${name}`, 'on another machine')
    const { command, note } = letOthersIn(hub.address)
    this.suggestNext(command, note)
  }
}
