import * as v from 'valibot'
import { printable } from '../../text/printable.ts'
import { encodeCtrl } from '../../tunnel/protocol/encode.ts'
import {
  HelloMessage,
  ServicesHead,
  ServicesMessage,
  type HubMessage,
} from '../../tunnel/protocol/handshake.ts'
import type { RefusedName, Registry } from '../registry/registry.ts'
import type { Agent } from '../store/store.ts'
import type { Switch } from '../switch/switch.ts'
import type { SwitchPort } from '../switch/switch-port.ts'
import { Offers } from './offers.ts'
import type { TokenBucket } from './token-bucket.ts'

/** As much of a label as a refusal shows: all refusals together must fit into one CTRL. */
const SHOWN_LABEL = 40

/** What the control messages of every link have to do with. */
export interface ControlContext {
  readonly registry: Pick<Registry, 'hubId' | 'setLabel' | 'claim'>
  readonly switch: Pick<Switch, 'ready' | 'offered'>
  /** The hub's. */
  readonly version: string
}

/** The control messages of one link: its hello, the services that it offers, and what the hub answers. */
export class ControlMessages {
  readonly #context: ControlContext
  readonly #agent: Agent
  readonly #port: SwitchPort
  readonly #failed: (error: unknown) => void
  readonly #offers: Offers<RefusedName[]>

  /**
   * @param allowance how many lists of services the agent may send over all of its links
   * @param failed called when the hub could not answer, by a mistake of its own
   */
  constructor(
    context: ControlContext,
    agent: Agent,
    port: SwitchPort,
    allowance: TokenBucket,
    failed: (error: unknown) => void,
  ) {
    this.#context = context
    this.#agent = agent
    this.#port = port
    this.#failed = failed
    this.#offers = new Offers(
      allowance,
      (message) => this.#claim(message),
      (seq, refused) => this.#answer({ type: 'services', seq, refused: refused.map(shownRefusal) }),
    )
  }

  /** @param message as the agent sent it, not yet looked at; one that may not come ends the link */
  take(message: unknown): void {
    if (v.is(ServicesHead, message)) this.#offered(message)
    else if (v.is(HelloMessage, message)) this.#greeted(message)
    else this.#notUnderstood()
  }

  /** The link is gone. */
  stop(): void {
    this.#offers.stop()
  }

  #greeted({ label }: v.InferOutput<typeof HelloMessage>): void {
    if (this.#port.isReady) return this.#port.link.fail('a second hello')
    const { registry, version } = this.#context
    registry.setLabel(this.#agent.id, label)
    this.#answer({ type: 'welcome', hub: registry.hubId, version, portless: true, named: true })
    this.#context.switch.ready(this.#port)
  }

  #offered(message: v.InferOutput<typeof ServicesHead>): void {
    const { link, isServing } = this.#port
    if (!isServing) return link.fail('only an agent offers services')
    const taken = this.#offers.add(message.seq, message)
    if (!taken) return link.fail('too many lists of services at once')
    taken.catch(this.#failed)
  }

  async #claim(message: unknown): Promise<RefusedName[] | undefined> {
    if (!v.is(ServicesMessage, message)) {
      this.#notUnderstood()
      return undefined
    }
    const refused = await this.#context.registry.claim(this.#agent, message.services)
    this.#context.switch.offered(this.#port)
    return refused
  }

  #answer(message: HubMessage): void {
    this.#port.link.sendControl(encodeCtrl(message))
  }

  #notUnderstood(): void {
    this.#port.link.fail('a control message that this hub does not understand')
  }
}

function shownRefusal({ name, owner, reason }: RefusedName): {
  name: string
  error?: string
  message: string
} {
  if (!owner) return { name, error: 'storage', message: `the hub can’t save it: ${reason}` }
  return { name, message: `exposed by ${printable(owner.label).slice(0, SHOWN_LABEL)} (${owner.id})` }
}
